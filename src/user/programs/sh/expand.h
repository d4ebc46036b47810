// From a raw word to fields: ~, $..., `...`, splitting at IFS, file names, and the quotes off.
#pragma once

#include "user/programs/sh/node.h"

namespace expand {

// Each adds to `fields` or sets `result`; false after a complaint.
bool words(const List<String>& raw, List<String>& fields);
bool word(const String& raw, List<String>& fields);
// Without splitting and file names: of assignments, redirections, `case`.
bool single(const String& raw, String& result);
// The same, but characters that were quoted stay quoted by backslashes: a pattern.
bool pattern(const String& raw, String& result);
// Of a here-text: dollars and backquotes only.
bool here_text(const String& text, String& result);

}  // namespace expand
