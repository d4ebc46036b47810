// Parsing the boot arguments: words between blanks, each with its reader.
#include "kernel/boot_arguments.h"

namespace {

using Reader = const char* (*)(BootArguments& arguments, std::string_view value);     // nullptr, or what is wrong

// Decimal, or hexadecimal after 0x.
bool parse_number(std::string_view text, uint64_t most, uint64_t& value) {
    const bool hex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const uint64_t base = hex ? 16 : 10;
    value = 0;
    for (char c : hex ? text.substr(2) : text) {
        uint64_t digit;
        if (c >= '0' && c <= '9') {
            digit = static_cast<uint64_t>(c - '0');
        } else if (hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = static_cast<uint64_t>((c | 0x20) - 'a' + 10);
        } else {
            return false;
        }
        if (value > (most - digit) / base) {
            return false;
        }
        value = value * base + digit;
    }
    return !text.empty();
}

// A number that fits 32 bits and is not 0.
const char* read_count(std::string_view value, uint32_t& count) {
    uint64_t number = 0;
    if (!parse_number(value, ~uint32_t{0}, number) || number == 0) {
        return "wants a number from 1 on";
    }
    count = static_cast<uint32_t>(number);
    return nullptr;
}

const char* read_text(std::string_view value, std::string_view& text) {
    if (value.empty()) {
        return "wants a value";
    }
    text = value;
    return nullptr;
}

const char* read_console(BootArguments& a, std::string_view v) { return read_text(v, a.console); }
const char* read_command(BootArguments& a, std::string_view v) { return read_text(v, a.command); }
const char* read_test(BootArguments& a, std::string_view v) { return read_text(v, a.test_filter); }
const char* read_fault(BootArguments& a, std::string_view v) { return read_text(v, a.fault); }
const char* read_hello(BootArguments& a, std::string_view v) { return read_text(v, a.hello); }
const char* read_pid_max(BootArguments& a, std::string_view v) { return read_count(v, a.pid_max); }
const char* read_process_max(BootArguments& a, std::string_view v) { return read_count(v, a.process_max); }
const char* read_memory(BootArguments& a, std::string_view v) { return read_count(v, a.memory_mib); }
const char* read_timeout(BootArguments& a, std::string_view v) { return read_count(v, a.timeout_seconds); }

const char* read_trace(BootArguments& a, std::string_view v) { return read_count(v, a.trace_records); }

const char* read_seed(BootArguments& a, std::string_view v) {
    a.seeded = parse_number(v, ~uint64_t{0}, a.seed);
    return a.seeded ? nullptr : "wants a number";
}

const char* read_copy(BootArguments& a, std::string_view v) {
    if (v != "eager" && v != "cow") {
        return "wants eager or cow";
    }
    a.copy_eagerly = v == "eager";
    return nullptr;
}

const char* read_freed(BootArguments& a, std::string_view v) {
    a.check_freed = v == "check";
    return a.check_freed ? nullptr : "wants check";
}

template <bool BootArguments::*Flag>
const char* read_flag(BootArguments& a, std::string_view v) {
    if (!v.empty()) {
        return "takes no value";
    }
    a.*Flag = true;
    return nullptr;
}

const char* read_end(BootArguments& a, std::string_view v) {
    if (v != "reset" && v != "halt") {
        return "wants reset or halt";
    }
    a.reset_at_end = v == "reset";
    return nullptr;
}

struct Known {
    std::string_view name;
    Reader read;
};
constexpr Known known[] = {
    {"console", read_console}, {"cmd", read_command}, {"pid_max", read_pid_max}, {"maxproc", read_process_max},
    {"copy", read_copy},       {"timeout", read_timeout}, {"quiet", read_flag<&BootArguments::quiet>}, {"seed", read_seed},
    {"test", read_test},       {"fault", read_fault},     {"hello", read_hello},
    {"freed", read_freed},     {"memory", read_memory},
    {"trace", read_trace},     {"end", read_end},
    {"heartbeat", read_flag<&BootArguments::heartbeat>},
};

const char* read_word(BootArguments& arguments, std::string_view word) {
    const size_t equals = word.find('=');
    const bool has_value = equals != std::string_view::npos;
    const std::string_view name = has_value ? word.substr(0, equals) : word;
    for (const Known& argument : known) {
        if (argument.name == name) {
            return argument.read(arguments, has_value ? word.substr(equals + 1) : std::string_view{});
        }
    }
    return "is not known";
}

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

BootArguments parse_boot_arguments(std::string_view text, BootArgumentProblem* problems, size_t capacity,
                                   size_t& problem_count) {
    BootArguments arguments;
    problem_count = 0;
    for (size_t at = 0; at < text.size();) {
        if (blank(text[at])) {
            ++at;
            continue;
        }
        size_t end = at;
        while (end < text.size() && !blank(text[end])) {
            ++end;
        }
        const std::string_view word = text.substr(at, end - at);
        if (const char* what = read_word(arguments, word)) {
            if (problem_count < capacity) {
                problems[problem_count] = {word, what};
            }
            ++problem_count;
        }
        at = end;
    }
    return arguments;
}
