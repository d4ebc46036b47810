// The shell's own containers: newlib comes without a C++ library.
//
// Exhausted memory ends the shell (operator new says so), so nothing here reports it.
#pragma once

#include <stddef.h>
#include <string.h>

struct Place {};
inline void* operator new(size_t, Place, void* where) noexcept { return where; }

template <typename T>
T&& moved(T& value) {
    return static_cast<T&&>(value);
}

// Elements in a row.
template <typename T>
class List {
public:
    List() = default;
    List(List&& other) noexcept : items_(other.items_), count_(other.count_), capacity_(other.capacity_) {
        other.forget();
    }
    List(const List& other) {
        for (const T& item : other) {
            add(item);
        }
    }
    ~List() {
        clear();
        ::operator delete(items_);
    }
    List& operator=(List other) noexcept {
        swap(other);
        return *this;
    }

    T& add(T item) {
        if (count_ == capacity_) {
            grow();
        }
        return *new (Place{}, items_ + count_++) T(moved(item));
    }
    void remove(int index) {
        for (int i = index; i + 1 < count_; ++i) {
            items_[i] = moved(items_[i + 1]);
        }
        items_[--count_].~T();
    }
    void clear() {
        while (count_ > 0) {
            items_[--count_].~T();
        }
    }

    int count() const { return count_; }
    bool empty() const { return count_ == 0; }
    T& operator[](int i) { return items_[i]; }
    const T& operator[](int i) const { return items_[i]; }
    T& last() { return items_[count_ - 1]; }
    T* begin() { return items_; }
    T* end() { return items_ + count_; }
    const T* begin() const { return items_; }
    const T* end() const { return items_ + count_; }

private:
    void forget() {
        items_ = nullptr;
        count_ = capacity_ = 0;
    }
    void swap(List& other) {
        T* items = items_;
        const int count = count_, capacity = capacity_;
        items_ = other.items_, count_ = other.count_, capacity_ = other.capacity_;
        other.items_ = items, other.count_ = count, other.capacity_ = capacity;
    }
    void grow() {
        const int larger = capacity_ != 0 ? 2 * capacity_ : 4;
        T* items = static_cast<T*>(::operator new(static_cast<size_t>(larger) * sizeof(T)));
        for (int i = 0; i < count_; ++i) {
            new (Place{}, items + i) T(moved(items_[i]));
            items_[i].~T();
        }
        ::operator delete(items_);
        items_ = items;
        capacity_ = larger;
    }

    T* items_ = nullptr;
    int count_ = 0, capacity_ = 0;
};

// Characters, always with a NUL behind the last.
class String {
public:
    String() = default;
    String(const char* text) { append(text); }
    String(const char* text, int length) { append(text, length); }
    String(String&& other) noexcept : text_(other.text_), length_(other.length_), capacity_(other.capacity_) {
        other.text_ = nullptr;
        other.length_ = other.capacity_ = 0;
    }
    String(const String& other) { append(other.c_str(), other.length_); }
    ~String() { ::operator delete(text_); }
    String& operator=(String other) noexcept;

    void add(char character) { append(&character, 1); }
    void append(const char* text) { append(text, static_cast<int>(strlen(text))); }
    void append(const String& text) { append(text.c_str(), text.length_); }
    void append(const char* text, int length);
    void insert(int at, const char* text, int length);
    void remove(int at, int length);
    void cut(int length);   // to at most so many
    void clear() { cut(0); }

    int length() const { return length_; }
    bool empty() const { return length_ == 0; }
    const char* c_str() const { return text_ != nullptr ? text_ : ""; }
    char operator[](int i) const { return c_str()[i]; }
    bool equals(const char* other) const { return strcmp(c_str(), other) == 0; }
    bool starts_with(const char* prefix) const { return strncmp(c_str(), prefix, strlen(prefix)) == 0; }
    String part(int from, int length) const { return String(c_str() + from, length); }

private:
    char* text_ = nullptr;
    int length_ = 0, capacity_ = 0;
};

String number_text(long value);
// Whole text as a number; false if it is none.
bool parse_number(const char* text, long& value);
void sort_strings(List<String>& list);

// Shared ownership of objects that have a member `int references = 0`.
template <typename T>
class Shared {
public:
    Shared() = default;
    explicit Shared(T* object) : object_(object) { keep(); }
    Shared(const Shared& other) : object_(other.object_) { keep(); }
    Shared(Shared&& other) noexcept : object_(other.object_) { other.object_ = nullptr; }
    ~Shared() { release(object_); }
    Shared& operator=(Shared other) noexcept {
        T* object = object_;
        object_ = other.object_;
        other.object_ = object;
        return *this;
    }
    T* operator->() const { return object_; }
    T& operator*() const { return *object_; }
    T* get() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }

private:
    void keep() {
        if (object_ != nullptr) {
            ++object_->references;
        }
    }
    // Out of line: the compiler does not see that only the last of several references deletes.
    [[gnu::noinline]] static void release(T* object) {
        if (object != nullptr && --object->references == 0) {
            delete object;
        }
    }
    T* object_ = nullptr;
};
