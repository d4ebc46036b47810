// Completion of commands and files.
#include "user/programs/sh/completion.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/programs/sh/builtins.h"
#include "user/programs/sh/variables.h"

namespace {

constexpr const char* separators = " \t;|&<>()";
constexpr const char* command_ends = ";|&(";
constexpr const char* special = " \t;|&<>()$`\"'\\*?[#~{}!";

bool among(char character, const char* set) { return character != '\0' && strchr(set, character) != nullptr; }

// Where the word before the cursor begins; an escaped separator belongs to the word.
int word_start(const String& line, int cursor) {
    int at = cursor;
    while (at > 0 && (!among(line[at - 1], separators) || (at > 1 && line[at - 2] == '\\'))) {
        --at;
    }
    return at;
}

bool begins_command(const String& line, int start) {
    while (start > 0 && (line[start - 1] == ' ' || line[start - 1] == '\t')) {
        --start;
    }
    return start == 0 || among(line[start - 1], command_ends);
}

String without_backslashes(const String& word) {
    String plain;
    for (int i = 0; i < word.length(); ++i) {
        if (word[i] != '\\' || i + 1 == word.length()) {
            plain.add(word[i]);
        }
    }
    return plain;
}

struct Search {
    String prefix;
    List<String> found;
    void offer(const String& name) {
        if (name.starts_with(prefix.c_str())) {
            found.add(name);
        }
    }
};

void offer_name(const char* name, void* search) { static_cast<Search*>(search)->offer(name); }

enum class Wanted { Files, Programs };

// The names in a folder; hidden ones only if asked for by a dot.
void offer_folder(const String& folder, Wanted wanted, Search& search) {
    DIR* entries = opendir(folder.empty() ? "." : folder.c_str());
    if (entries == nullptr) {
        return;
    }
    while (const dirent* entry = readdir(entries)) {
        String name = entry->d_name;
        if ((name[0] == '.' && search.prefix[0] != '.') || !name.starts_with(search.prefix.c_str())) {
            continue;
        }
        String path = folder;
        if (!path.empty() && path[path.length() - 1] != '/') {
            path.add('/');
        }
        path.append(name);
        struct stat info;
        const bool is_folder = stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
        if (wanted == Wanted::Files) {
            name.append(is_folder ? "/" : "");
            search.found.add(name);
        } else if (!is_folder && access(path.c_str(), X_OK) == 0) {
            search.found.add(name);
        }
    }
    closedir(entries);
}

void offer_commands(Search& search) {
    each_builtin(offer_name, &search);
    variables::each_function(offer_name, &search);
    const char* path = variables::get("PATH");
    for (const char* part = path != nullptr ? path : "/bin"; part != nullptr;) {
        const char* colon = strchr(part, ':');
        offer_folder(colon != nullptr ? String(part, static_cast<int>(colon - part)) : String(part), Wanted::Programs, search);
        part = colon != nullptr ? colon + 1 : nullptr;
    }
}

void sort_and_drop_doubles(List<String>& names) {
    sort_strings(names);
    for (int i = names.count() - 1; i > 0; --i) {
        if (names[i].equals(names[i - 1].c_str())) {
            names.remove(i);
        }
    }
}

}  // namespace

String Completion::common() const {
    String common = candidates.empty() ? String() : candidates[0];
    for (const String& candidate : candidates) {
        int length = 0;
        while (length < common.length() && common[length] == candidate[length]) {
            ++length;
        }
        common.cut(length);
    }
    return common;
}

Completion complete(const String& line, int cursor) {
    const int start = word_start(line, cursor);
    const String word = line.part(start, cursor - start);
    const char* slash = strrchr(word.c_str(), '/');
    const int folder_length = slash != nullptr ? static_cast<int>(slash - word.c_str()) + 1 : 0;
    Search search;
    search.prefix = without_backslashes(word.part(folder_length, word.length() - folder_length));
    if (slash == nullptr && begins_command(line, start)) {
        offer_commands(search);
    } else {
        offer_folder(without_backslashes(word.part(0, folder_length)), Wanted::Files, search);
    }
    sort_and_drop_doubles(search.found);
    Completion completion;
    completion.start = start + folder_length;
    completion.candidates = moved(search.found);
    return completion;
}

String quoted_name(const String& name) {
    String quoted;
    for (int i = 0; i < name.length(); ++i) {
        if (among(name[i], special)) {
            quoted.add('\\');
        }
        quoted.add(name[i]);
    }
    return quoted;
}
