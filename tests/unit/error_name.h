// The name of an error, for what a test says. Works on both machines.
#pragma once

#include "base/errors.h"

inline const char* name_of(Error error) {
    switch (error) {
    case Error::NotPermitted: return "NotPermitted";
    case Error::NoEntry: return "NoEntry";
    case Error::NoProcess: return "NoProcess";
    case Error::Interrupted: return "Interrupted";
    case Error::Io: return "Io";
    case Error::NoDevice: return "NoDevice";
    case Error::ArgumentsTooLong: return "ArgumentsTooLong";
    case Error::NotExecutable: return "NotExecutable";
    case Error::BadDescriptor: return "BadDescriptor";
    case Error::NoChild: return "NoChild";
    case Error::TryAgain: return "TryAgain";
    case Error::NoMemory: return "NoMemory";
    case Error::AccessDenied: return "AccessDenied";
    case Error::BadAddress: return "BadAddress";
    case Error::Busy: return "Busy";
    case Error::Exists: return "Exists";
    case Error::CrossDevice: return "CrossDevice";
    case Error::NotDirectory: return "NotDirectory";
    case Error::IsDirectory: return "IsDirectory";
    case Error::Invalid: return "Invalid";
    case Error::TooManyFilesInSystem: return "TooManyFilesInSystem";
    case Error::TooManyFiles: return "TooManyFiles";
    case Error::NotTerminal: return "NotTerminal";
    case Error::TextBusy: return "TextBusy";
    case Error::FileTooBig: return "FileTooBig";
    case Error::NoSpace: return "NoSpace";
    case Error::IllegalSeek: return "IllegalSeek";
    case Error::ReadOnly: return "ReadOnly";
    case Error::TooManyLinks: return "TooManyLinks";
    case Error::BrokenPipe: return "BrokenPipe";
    case Error::Range: return "Range";
    case Error::Deadlock: return "Deadlock";
    case Error::NotImplemented: return "NotImplemented";
    case Error::NotEmpty: return "NotEmpty";
    case Error::NameTooLong: return "NameTooLong";
    case Error::TooManySymlinks: return "TooManySymlinks";
    case Error::TimedOut: return "TimedOut";
    case Error::NotSupported: return "NotSupported";
    case Error::Overflow: return "Overflow";
    case Error::Restart: return "Restart";
    }
    return "an unknown error";
}
