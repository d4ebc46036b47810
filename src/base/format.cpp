// vformat: the one place that turns values into digits.
#include "base/format.h"

namespace {

struct Placeholder {
    bool hex = false;
    bool left = false;
    unsigned width = 0;
};

// Reads what stands between the braces; anything unknown is ignored.
Placeholder parse(std::string_view inside) {
    Placeholder p;
    for (char c : inside) {
        if (c == 'x') {
            p.hex = true;
        } else if (c == '-') {
            p.left = true;
        } else if (c >= '0' && c <= '9') {
            p.width = p.width * 10 + static_cast<unsigned>(c - '0');
        }
    }
    return p;
}

std::string_view digits(uint64_t value, unsigned base, bool negative, char (&buffer)[24]) {
    char* end = buffer + sizeof buffer;
    char* at = end;
    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    if (negative) {
        *--at = '-';
    }
    return {at, static_cast<size_t>(end - at)};
}

std::string_view text_of(const FormatArgument& argument, bool hex, char (&buffer)[24]) {
    using Kind = FormatArgument::Kind;
    switch (argument.kind) {
    case Kind::Text:
        return argument.text;
    case Kind::Bool:
        return argument.number != 0 ? "yes" : "no";
    case Kind::Char:
        buffer[0] = static_cast<char>(argument.number);
        return {buffer, 1};
    case Kind::Hex:
        return digits(argument.number, 16, false, buffer);
    case Kind::Signed:
        if (!hex && static_cast<int64_t>(argument.number) < 0) {
            return digits(~argument.number + 1, 10, true, buffer);
        }
        [[fallthrough]];
    case Kind::Unsigned:
        return digits(argument.number, hex ? 16 : 10, false, buffer);
    }
    return {};
}

void put_padded(TextSink sink, const FormatArgument& argument, Placeholder place) {
    char buffer[24];
    std::string_view text = text_of(argument, place.hex, buffer);
    bool address = argument.kind == FormatArgument::Kind::Hex;
    size_t length = text.size() + (address ? 2 : 0);
    auto pad = [&] {
        for (size_t i = length; i < place.width; ++i) {
            sink.put(sink.context, " ");
        }
    };
    if (!place.left) {
        pad();
    }
    if (address) {
        sink.put(sink.context, "0x");
    }
    sink.put(sink.context, text);
    if (place.left) {
        pad();
    }
}

}  // namespace

void vformat(TextSink sink, std::string_view format, const FormatArgument* arguments, size_t count) {
    size_t next = 0;
    while (!format.empty()) {
        size_t open = format.find('{');
        size_t close = open == format.npos ? format.npos : format.find('}', open);
        if (close == format.npos) {
            sink.put(sink.context, format);
            return;
        }
        if (open > 0) {
            sink.put(sink.context, format.substr(0, open));
        }
        if (next < count) {
            put_padded(sink, arguments[next++], parse(format.substr(open + 1, close - open - 1)));
        } else {
            sink.put(sink.context, "{?}");
        }
        format.remove_prefix(close + 1);
    }
}
