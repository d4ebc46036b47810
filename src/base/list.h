// Intrusive doubly linked list: the links live in the element, so that linking can not fail.
//
// An element is on at most one list per ListNode member. The list does not own its elements.
#pragma once

#include <cstddef>

#include "base/panic.h"

struct ListNode {
    ListNode* next = nullptr;
    ListNode* previous = nullptr;

    constexpr ListNode() = default;
    ListNode(const ListNode&) = delete;
    ListNode& operator=(const ListNode&) = delete;

    bool linked() const { return next != nullptr; }
    void unlink() {
        ASSERT(linked());
        next->previous = previous;
        previous->next = next;
        next = previous = nullptr;
    }
};

// List<Thread, &Thread::run_link>: a circle through a sentinel.
template <typename T, ListNode T::*Link>
class List {
public:
    constexpr List() { head_.next = head_.previous = &head_; }
    List(const List&) = delete;
    List& operator=(const List&) = delete;

    bool empty() const { return head_.next == &head_; }
    T* first() { return empty() ? nullptr : owner(head_.next); }
    T* last() { return empty() ? nullptr : owner(head_.previous); }
    T* after(T& element) { return owner_or_null((element.*Link).next); }
    T* before(T& element) { return owner_or_null((element.*Link).previous); }

    void push_front(T& element) { insert_before(*head_.next, element.*Link); }
    void push_back(T& element) { insert_before(head_, element.*Link); }
    // Puts `element` in front of `position`, which is on this list.
    void insert_before(T& position, T& element) { insert_before(position.*Link, element.*Link); }

    T* pop_front() {
        T* element = first();
        if (element != nullptr) {
            remove(*element);
        }
        return element;
    }
    void remove(T& element) { (element.*Link).unlink(); }
    static bool linked(const T& element) { return (element.*Link).linked(); }

    // The element may be removed (and freed) inside the loop body.
    class Iterator {
    public:
        Iterator(ListNode* node) : node_(node), next_(node->next) {}
        T& operator*() const { return *List::owner(node_); }
        Iterator& operator++() {
            node_ = next_;
            next_ = node_->next;
            return *this;
        }
        bool operator!=(const Iterator& other) const { return node_ != other.node_; }

    private:
        ListNode* node_;
        ListNode* next_;
    };
    Iterator begin() { return Iterator(head_.next); }
    Iterator end() { return Iterator(&head_); }

    size_t count() {
        size_t n = 0;
        for ([[maybe_unused]] T& element : *this) {
            ++n;
        }
        return n;
    }

private:
    static void insert_before(ListNode& position, ListNode& node) {
        ASSERT(!node.linked());
        node.next = &position;
        node.previous = position.previous;
        position.previous->next = &node;
        position.previous = &node;
    }
    // The distance of the link inside T, found without an object: T need not be standard layout.
    static T* owner(ListNode* node) {
        alignas(T) static constexpr unsigned char probe[sizeof(T)] = {};
        const auto* t = reinterpret_cast<const T*>(&probe);
        auto offset = reinterpret_cast<const char*>(&(t->*Link)) - reinterpret_cast<const char*>(t);
        return reinterpret_cast<T*>(reinterpret_cast<char*>(node) - offset);
    }
    T* owner_or_null(ListNode* node) { return node == &head_ ? nullptr : owner(node); }

    ListNode head_;
};
