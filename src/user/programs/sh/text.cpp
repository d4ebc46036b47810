#include "user/programs/sh/text.h"

#include <errno.h>
#include <stdlib.h>

String& String::operator=(String other) noexcept {
    char* text = text_;
    const int capacity = capacity_;
    text_ = other.text_, length_ = other.length_, capacity_ = other.capacity_;
    other.text_ = text, other.capacity_ = capacity;
    return *this;
}

void String::append(const char* text, int length) { insert(length_, text, length); }

void String::insert(int at, const char* text, int length) {
    if (length_ + length + 1 > capacity_) {
        int larger = capacity_ != 0 ? 2 * capacity_ : 16;
        while (larger < length_ + length + 1) {
            larger *= 2;
        }
        char* fresh = static_cast<char*>(::operator new(static_cast<size_t>(larger)));
        memcpy(fresh, c_str(), static_cast<size_t>(length_) + 1);
        ::operator delete(text_);
        text_ = fresh;
        capacity_ = larger;
    }
    memmove(text_ + at + length, text_ + at, static_cast<size_t>(length_ - at));
    memcpy(text_ + at, text, static_cast<size_t>(length));
    length_ += length;
    text_[length_] = '\0';
}

void String::remove(int at, int length) {
    memmove(text_ + at, text_ + at + length, static_cast<size_t>(length_ - at - length) + 1);
    length_ -= length;
}

void String::cut(int length) {
    if (length < length_) {
        length_ = length;
        text_[length] = '\0';
    }
}

String number_text(long value) {
    char digits[24];
    char* at = digits + sizeof digits - 1;
    *at = '\0';
    unsigned long rest = value < 0 ? 0ul - static_cast<unsigned long>(value) : static_cast<unsigned long>(value);
    do {
        *--at = static_cast<char>('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0) {
        *--at = '-';
    }
    return String(at);
}

bool parse_number(const char* text, long& value) {
    char* end;
    errno = 0;
    value = strtol(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

void sort_strings(List<String>& list) {
    for (int i = 1; i < list.count(); ++i) {
        for (int j = i; j > 0 && strcmp(list[j - 1].c_str(), list[j].c_str()) > 0; --j) {
            String between = moved(list[j]);
            list[j] = moved(list[j - 1]);
            list[j - 1] = moved(between);
        }
    }
}
