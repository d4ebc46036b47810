// A writer that knows where its buffer ends. The sizes are compared from the back: what is left for the name?
#include "kernel/greeting.h"

namespace {

class Writer {
public:
    explicit Writer(char* at) : at_(at) {}
    Writer& operator<<(char c) {
        at_[size_++] = c;
        return *this;
    }
    Writer& operator<<(std::string_view text) {
        for (const char c : text) {
            *this << c;
        }
        return *this;
    }
    size_t size() const { return size_; }

private:
    char* at_;
    size_t size_ = 0;
};

constexpr size_t without_name = sizeof "Hello, !";      // with the zero

}  // namespace

Result<size_t> greet(std::string_view name, char* to, size_t capacity) {
    if (name.length() == 0) {
        return Error::Invalid;
    }
    if (capacity <= without_name || capacity - without_name < name.length()) {
        return Error::NameTooLong;
    }
    Writer writer(to);
    writer << "Hello, " << name << '!' << '\0';
    return writer.size() - 1;
}
