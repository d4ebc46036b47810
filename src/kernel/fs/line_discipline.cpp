// Editing of a line, signal characters, echo, and what becomes of printed newlines.
#include "kernel/fs/line_discipline.h"

namespace {

constexpr uint8_t control(char letter) { return static_cast<uint8_t>(letter & 0x1f); }
constexpr uint8_t word_erase = control('W');
constexpr uint8_t delete_byte = 0x7f;
constexpr uint8_t bell = 7;

bool is_control(uint8_t byte) { return (byte < ' ' && byte != '\t' && byte != '\n') || byte == delete_byte; }
// The second and later bytes of a UTF-8 character.
bool continues_character(uint8_t byte) { return (byte & 0xc0) == 0x80; }

}  // namespace

LineDiscipline::LineDiscipline() {
    settings_.input = FL_ICRNL | FL_IXON;
    settings_.output = FL_OPOST | FL_ONLCR;
    settings_.local = FL_ISIG | FL_ICANON | FL_ECHO | FL_ECHOE | FL_ECHOK | FL_IEXTEN;
    settings_.cc[FL_VEOF] = control('D');
    settings_.cc[FL_VERASE] = delete_byte;
    settings_.cc[FL_VINTR] = control('C');
    settings_.cc[FL_VKILL] = control('U');
    settings_.cc[FL_VQUIT] = control('\\');
    settings_.cc[FL_VSTART] = control('Q');
    settings_.cc[FL_VSTOP] = control('S');
    settings_.cc[FL_VSUSP] = control('Z');
    settings_.cc[FL_VMIN] = 1;
}

void LineDiscipline::change_settings(const ForkloreTermios& settings, bool flush) {
    const bool was_canonical = canonical();
    const uint8_t end_of_file = settings_.cc[FL_VEOF];
    settings_ = settings;
    if (flush) {
        drop_input();
    }
    if (was_canonical && !canonical()) {
        lines_become_bytes(end_of_file);
    } else if (!was_canonical && canonical()) {
        again_ = read_;
        again_end_ = typed_;
        typed_ = committed_ = read_;
    }
    if ((settings_.input & FL_IXON) == 0) {
        output_stopped_ = false;
    }
}

// Line ends stay marked, for the way back. The end of file is the byte that was typed for it: to a reader of bytes an
// empty read would be the end for good.
void LineDiscipline::lines_become_bytes(uint8_t end_of_file) {
    for (uint32_t at = read_; at != typed_; ++at) {
        if ((cell(at) & file_end) != 0) {
            cell(at) = static_cast<Cell>(end_of_file | unedited | echoed);
        }
    }
    committed_ = typed_;
    lines_ = 0;
}

// In place: each cell makes at most one, so typed_ never overtakes again_.
bool LineDiscipline::retype(Effect& effect, EchoBuffer& echo) {
    effect = {};
    while (again_ != again_end_) {
        const Cell next = cell(again_++);
        if ((next & unedited) != 0) {
            effect = typed(static_cast<uint8_t>(next), echo);
            if ((next & echoed) != 0) {
                echo.clear();
            }
            return true;
        }
        push(next);             // was a part of a line before raw mode
        if ((next & line_end) != 0) {
            commit_line(effect);
        }
    }
    return false;
}

void LineDiscipline::drop_input() {
    read_ = committed_ = typed_;
    lines_ = 0;
}

bool LineDiscipline::push(Cell cell) {
    if (typed_ - read_ == ring_.size()) {
        return false;
    }
    this->cell(typed_++) = cell;
    return true;
}

void LineDiscipline::echo_byte(uint8_t byte, EchoBuffer& echo) const {
    if (byte == '\n') {
        if (local(FL_ECHO | FL_ECHONL)) {
            uint8_t out[2];
            size_t count = print(&byte, 1, out);
            for (size_t i = 0; i < count; ++i) {
                echo.put(out[i]);
            }
        }
    } else if (local(FL_ECHO)) {
        if (is_control(byte) && canonical()) {
            echo.put('^');
            echo.put(byte ^ 0x40);
        } else {
            echo.put(byte);
        }
    }
}

// INTR, QUIT, SUSP; true if it was one.
bool LineDiscipline::signal_character(uint8_t byte, Effect& effect, EchoBuffer& echo) {
    if (!local(FL_ISIG)) {
        return false;
    }
    if (is(FL_VINTR, byte)) {
        effect.signal = FL_SIGINT;
    } else if (is(FL_VQUIT, byte)) {
        effect.signal = FL_SIGQUIT;
    } else if (is(FL_VSUSP, byte)) {
        effect.signal = FL_SIGTSTP;
    } else {
        return false;
    }
    output_stopped_ = false;
    effect.output_changed = true;
    if (!local(FL_NOFLSH)) {
        drop_input();
    }
    if (local(FL_ECHO)) {
        echo.put('^');
        echo.put(byte ^ 0x40);
    }
    return true;
}

// Takes the last character off the line; false if there is none.
bool LineDiscipline::erase_one(EchoBuffer& echo) {
    if (typed_ == committed_) {
        return false;
    }
    uint8_t byte;
    do {
        byte = static_cast<uint8_t>(cell(--typed_));
    } while (continues_character(byte) && typed_ != committed_);
    if (local(FL_ECHO) && local(FL_ECHOE)) {
        unsigned columns = is_control(byte) ? 2 : 1;
        for (unsigned i = 0; i < columns; ++i) {
            echo.put('\b');
            echo.put(' ');
            echo.put('\b');
        }
    }
    return true;
}

void LineDiscipline::erase_word(EchoBuffer& echo) {
    auto blank_before = [this] {
        Cell last = cell(typed_ - 1);
        return last == ' ' || last == '\t';
    };
    while (typed_ != committed_ && blank_before()) {
        erase_one(echo);
    }
    while (typed_ != committed_ && !blank_before()) {
        erase_one(echo);
    }
}

// What canonical mode does with a byte that is not simply a part of the line; true if it was one.
bool LineDiscipline::edit_character(uint8_t byte, Effect& effect, EchoBuffer& echo) {
    if (is(FL_VERASE, byte) || (byte == control('H') && local(FL_IEXTEN))) {
        erase_one(echo);
    } else if (local(FL_IEXTEN) && byte == word_erase) {
        erase_word(echo);
    } else if (is(FL_VKILL, byte)) {
        bool visible = local(FL_ECHOE);
        while (erase_one(echo)) {
        }
        if (!visible && local(FL_ECHOK)) {
            echo_byte('\n', echo);
        }
    } else if (is(FL_VEOF, byte)) {
        // The ring is never so full of a line that its end does not fit: typed() keeps a cell free.
        push(file_end);
        commit_line(effect);
    } else if (byte == '\n' || is(FL_VEOL, byte)) {
        push(static_cast<Cell>(byte | line_end));
        commit_line(effect);
        echo_byte(byte, echo);
    } else {
        return false;
    }
    return true;
}

void LineDiscipline::commit_line(Effect& effect) {
    if (committed_ != typed_) {
        committed_ = typed_;
        ++lines_;
        effect.readable = true;
    }
}

LineDiscipline::Effect LineDiscipline::typed(uint8_t byte, EchoBuffer& echo) {
    Effect effect;
    if ((settings_.input & FL_IXON) != 0 && (is(FL_VSTOP, byte) || is(FL_VSTART, byte))) {
        output_stopped_ = is(FL_VSTOP, byte);
        effect.output_changed = true;
        return effect;
    }
    if (byte == '\r' && (settings_.input & FL_ICRNL) != 0) {
        byte = '\n';
    }
    if (signal_character(byte, effect, echo)) {
        return effect;
    }
    if (canonical() && edit_character(byte, effect, echo)) {
        return effect;
    }
    // One cell stays free for the end of the line.
    if (typed_ - read_ + 1 >= ring_.size()) {
        if (local(FL_ECHO)) {
            echo.put(bell);
        }
        return effect;
    }
    echo_byte(byte, echo);
    if (canonical()) {
        push(byte);
    } else {
        push(static_cast<Cell>(byte | unedited | (local(FL_ECHO) ? echoed : 0)));
        committed_ = typed_;
        effect.readable = true;
    }
    return effect;
}

bool LineDiscipline::ready(size_t minimum) const {
    return canonical() ? lines_ > 0 : committed_ - read_ >= minimum && committed_ != read_;
}

size_t LineDiscipline::available() const {
    if (canonical() && lines_ == 0) {
        return 0;
    }
    size_t count = 0;
    for (uint32_t at = read_; at != committed_; ++at) {
        Cell here = cell(at);
        count += (here & file_end) == 0 ? 1 : 0;
        if (canonical() && (here & (line_end | file_end)) != 0) {
            break;
        }
    }
    return count;
}

size_t LineDiscipline::take(uint8_t* to, size_t count, bool& line_ended) {
    size_t done = 0;
    line_ended = false;
    while (read_ != committed_ && !line_ended) {
        Cell here = cell(read_);
        // The mark of an end of file that follows the wanted bytes goes with them: it was typed to send them.
        if (done == count && (here & file_end) == 0) {
            break;
        }
        ++read_;
        if ((here & (line_end | file_end)) != 0) {
            lines_ -= lines_ > 0 ? 1 : 0;
            line_ended = canonical();
        }
        if ((here & file_end) == 0) {
            to[done++] = static_cast<uint8_t>(here);
        }
    }
    return done;
}

size_t LineDiscipline::print(const uint8_t* bytes, size_t count, uint8_t* to) const {
    bool returns = (settings_.output & FL_OPOST) != 0 && (settings_.output & FL_ONLCR) != 0;
    size_t out = 0;
    for (size_t i = 0; i < count; ++i) {
        if (bytes[i] == '\n' && returns) {
            to[out++] = '\r';
        }
        to[out++] = bytes[i];
    }
    return out;
}
