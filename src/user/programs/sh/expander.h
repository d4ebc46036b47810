// Inside of the expansion: characters with what is known about each, before they are cut into fields.
#pragma once

#include "user/programs/sh/node.h"

class Expander {
public:
    // Adds the expansion of raw text; `quoted` as if between double quotes.
    bool add_text(const char* raw, int length, bool quoted);

    // What was added, cut at unquoted blanks, file names found.
    void fields(List<String>& result) const;
    String plain() const;       // not cut
    String pattern() const;     // not cut, quoted characters behind backslashes

private:
    // Literal: typed without quotes. Quoted: stands for itself. Splitting: came from an unquoted $...
    // Break: the boundary between two of "$@". Mark: an empty quoted string, which makes a field.
    enum class Kind : char { Literal, Quoted, Splitting, Break, Mark };

    void add(char character, Kind kind) {
        text_.add(character);
        kinds_.add(static_cast<char>(kind));
    }
    Kind kind(int i) const { return static_cast<Kind>(kinds_[i]); }
    void add_value(const char* value, bool quoted);
    void finish_field(const String& pattern, bool any, List<String>& result) const;

    // Each is at the character behind the dollar (or at the backquote), adds, and returns how many raw characters it
    // used, -1 after a complaint. parameter.cpp.
    int add_dollar(const char* raw, int length, bool quoted);
    int add_braces(const char* raw, int length, bool quoted);
    int add_backquotes(const char* raw, int length, bool quoted);
    bool add_operation(const String& name, const char* operation, bool quoted);
    void add_arguments(bool separate, bool quoted);
    bool add_command(const String& command, bool quoted);

    String text_;
    String kinds_;
};

// The value of $name, special ones too. False if it is not set.
bool parameter_value(const String& name, String& value);
