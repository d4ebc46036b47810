#include "user/programs/sh/arithmetic.h"

#include <ctype.h>
#include <stdlib.h>

#include "user/programs/sh/shell.h"
#include "user/programs/sh/variables.h"

namespace {

struct BinaryOperator {
    const char* text;
    int precedence;     // higher binds tighter
};
constexpr BinaryOperator binary_operators[] = {
    {"||", 1}, {"&&", 2}, {"==", 6}, {"!=", 6}, {"<=", 7}, {">=", 7}, {"<<", 8}, {">>", 8}, {"|", 3},
    {"^", 4},  {"&", 5},  {"<", 7},  {">", 7},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10}};

class Evaluator {
public:
    explicit Evaluator(const char* text) : at_(text) {}

    bool evaluate(long& value) {
        value = conditional();
        skip_blanks();
        if (problem_ == nullptr && *at_ != '\0') {
            problem_ = "not an arithmetic expression";
        }
        if (problem_ != nullptr) {
            complain("arithmetic", problem_);
        }
        return problem_ == nullptr;
    }

private:
    void skip_blanks() {
        while (isspace(static_cast<unsigned char>(*at_))) {
            ++at_;
        }
    }
    bool take(char c) {
        skip_blanks();
        if (*at_ != c) {
            return false;
        }
        ++at_;
        return true;
    }

    long conditional() {
        const long condition = binary(1);
        if (!take('?')) {
            return condition;
        }
        const long yes = conditional();
        if (!take(':')) {
            problem_ = "':' is missing";
            return 0;
        }
        const long no = conditional();
        return condition ? yes : no;
    }

    const BinaryOperator* peek_operator() {
        skip_blanks();
        for (const BinaryOperator& candidate : binary_operators) {
            if (strncmp(at_, candidate.text, strlen(candidate.text)) == 0) {
                return &candidate;
            }
        }
        return nullptr;
    }

    long binary(int lowest) {
        long left = unary();
        for (;;) {
            const BinaryOperator* operation = peek_operator();
            if (operation == nullptr || operation->precedence < lowest || problem_ != nullptr) {
                return left;
            }
            at_ += strlen(operation->text);
            left = apply(operation->text, left, binary(operation->precedence + 1));
        }
    }

    // Overflow wraps, as on the machine.
    long apply(const char* operation, long a, long b) {
        const auto x = static_cast<unsigned long>(a), y = static_cast<unsigned long>(b);
        const bool twice = operation[1] != '\0';
        switch (operation[0]) {
        case '+': return static_cast<long>(x + y);
        case '-': return static_cast<long>(x - y);
        case '*': return static_cast<long>(x * y);
        case '/':
        case '%':
            if (b == 0) {
                problem_ = "division by zero";
                return 0;
            }
            if (b == -1) {
                return operation[0] == '/' ? static_cast<long>(0 - x) : 0;
            }
            return operation[0] == '/' ? a / b : a % b;
        case '=': return a == b;
        case '!': return a != b;
        case '<': return !twice ? a < b : operation[1] == '=' ? a <= b : static_cast<long>(x << (y & 63));
        case '>': return !twice ? a > b : operation[1] == '=' ? a >= b : a >> (y & 63);
        case '&': return twice ? a && b : a & b;
        case '|': return twice ? a || b : a | b;
        default: return a ^ b;
        }
    }

    long unary() {
        skip_blanks();
        if (take('!')) {
            return !unary();
        }
        if (take('~')) {
            return ~unary();
        }
        if (take('-')) {
            return static_cast<long>(0 - static_cast<unsigned long>(unary()));
        }
        if (take('+')) {
            return unary();
        }
        return primary();
    }

    long primary() {
        if (take('(')) {
            const long value = conditional();
            if (!take(')')) {
                problem_ = "')' is missing";
            }
            return value;
        }
        if (isdigit(static_cast<unsigned char>(*at_))) {
            char* end;
            const long value = strtol(at_, &end, 0);
            at_ = end;
            return value;
        }
        const char* start = at_;
        while (isalnum(static_cast<unsigned char>(*at_)) || *at_ == '_') {
            ++at_;
        }
        const String name(start, static_cast<int>(at_ - start));
        if (name.empty()) {
            problem_ = "a number or a name is missing";
            return 0;
        }
        skip_blanks();
        if (at_[0] == '=' && at_[1] != '=') {
            ++at_;
            const long value = conditional();
            variables::set(name.c_str(), number_text(value).c_str());
            return value;
        }
        const char* value = variables::get(name.c_str());
        return value != nullptr ? strtol(value, nullptr, 0) : 0;
    }

    const char* at_;
    const char* problem_ = nullptr;
};

}  // namespace

bool evaluate_arithmetic(const char* text, long& value) { return Evaluator(text).evaluate(value); }
