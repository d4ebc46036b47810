// Raw mode while a line is edited: arrows, Ctrl-A E B F P N K U W D L, Tab, history. The terminal is as it was afterwards, and
// what was typed after the line is then typed again, to whatever the line starts: Ctrl-C among it is SIGINT to us by the
// time the editor is left.
#include "user/programs/sh/line_editor.h"

#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "user/programs/sh/completion.h"
#include "user/programs/sh/shell.h"

namespace {

constexpr int history_capacity = 100;
List<String> history;

constexpr char control(char letter) { return static_cast<char>(letter & 0x1f); }

class RawMode {
public:
    RawMode() {
        tcgetattr(STDIN_FILENO, &before_);
        termios raw = before_;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        // Ctrl-C or Ctrl-Z at nobody, between the last program and us: the terminal has dropped what was typed before it.
        if (interrupted) {
            interrupted = 0;
            write(STDOUT_FILENO, "\n", 1);
        }
    }
    ~RawMode() { tcsetattr(STDIN_FILENO, TCSANOW, &before_); }
    RawMode(const RawMode&) = delete;

private:
    termios before_;
};

class Editor {
public:
    Editor(const char* prompt, String& line) : prompt_(prompt), line_(line), position_(history.count()) {}

    LineResult run() {
        line_.clear();
        put(prompt_);
        for (;;) {
            char key = 0;
            if (read(STDIN_FILENO, &key, 1) != 1) {
                return LineResult::End;
            }
            if (key == '\r' || key == '\n') {
                put("\n");
                return LineResult::Line;
            }
            if (key == control('C')) {
                put("^C\n");
                return LineResult::Interrupted;
            }
            if (key == control('D') && line_.empty()) {
                put("\n");
                return LineResult::End;
            }
            handle(key);
        }
    }

private:
    void put(const char* text) { write(STDOUT_FILENO, text, strlen(text)); }

    // The whole line again, the cursor where it belongs: one write.
    void show() {
        String out = "\r\x1b[K";
        out.append(prompt_);
        out.append(line_);
        if (line_.length() > cursor_) {
            out.append("\x1b[");
            out.append(number_text(line_.length() - cursor_));
            out.append("D");
        }
        put(out.c_str());
    }

    void handle(char key) {
        const bool again = key == '\t' && last_key_ == '\t';
        last_key_ = key;
        switch (key) {
        case '\t': complete_word(again); break;
        case control('A'): cursor_ = 0; break;
        case control('E'): cursor_ = line_.length(); break;
        case control('B'): cursor_ -= cursor_ > 0 ? 1 : 0; break;
        case control('F'): cursor_ += cursor_ < line_.length() ? 1 : 0; break;
        case control('P'): recall(-1); break;
        case control('N'): recall(1); break;
        case control('K'): line_.cut(cursor_); break;
        case control('U'): erase(0); break;
        case control('W'): erase(word_start()); break;
        case control('D'): remove_at_cursor(); break;
        case control('L'): put("\x1b[H\x1b[J"); break;
        case control('H'):
        case 0x7f: erase(cursor_ > 0 ? cursor_ - 1 : 0); break;
        case 0x1b: escape(); break;
        default:
            if (static_cast<unsigned char>(key) < ' ') {
                return;
            }
            line_.insert(cursor_++, &key, 1);
            if (cursor_ == line_.length()) {
                write(STDOUT_FILENO, &key, 1);
                return;
            }
        }
        show();
    }

    // Cursor keys come as ESC [ letter, or ESC [ digit ~.
    void escape() {
        char keys[2] = {};
        if (read(STDIN_FILENO, keys, 1) != 1 || (keys[0] != '[' && keys[0] != 'O') || read(STDIN_FILENO, keys + 1, 1) != 1) {
            return;
        }
        switch (keys[1]) {
        case 'A': recall(-1); break;
        case 'B': recall(1); break;
        case 'C': cursor_ += cursor_ < line_.length() ? 1 : 0; break;
        case 'D': cursor_ -= cursor_ > 0 ? 1 : 0; break;
        case 'H': cursor_ = 0; break;
        case 'F': cursor_ = line_.length(); break;
        case '3': {
            char tilde = 0;
            read(STDIN_FILENO, &tilde, 1);
            remove_at_cursor();
            break;
        }
        default: break;
        }
    }

    // As far as it is certain; the second Tab shows what there is.
    void complete_word(bool show_all) {
        const Completion completion = complete(line_, cursor_);
        const String common = completion.common();
        String insertion = quoted_name(common);
        const bool certain = completion.candidates.count() == 1;
        if (certain && common[common.length() - 1] != '/') {
            insertion.add(' ');
        }
        if (insertion.length() >= cursor_ - completion.start && !completion.candidates.empty()) {
            line_.remove(completion.start, cursor_ - completion.start);
            line_.insert(completion.start, insertion.c_str(), insertion.length());
            cursor_ = completion.start + insertion.length();
        }
        if (show_all && completion.candidates.count() > 1) {
            put_columns(completion.candidates);
        }
    }

    // Below the line; the line is shown again after them.
    void put_columns(const List<String>& names) {
        constexpr int screen = 80;
        int width = 0;
        for (const String& name : names) {
            width = name.length() + 2 > width ? name.length() + 2 : width;
        }
        const int columns = screen / width > 0 ? screen / width : 1;
        String out = "\n";
        for (int i = 0; i < names.count(); ++i) {
            out.append(names[i]);
            const bool line_ends = (i + 1) % columns == 0 || i + 1 == names.count();
            for (int pad = names[i].length(); !line_ends && pad < width; ++pad) {
                out.add(' ');
            }
            out.append(line_ends ? "\n" : "");
        }
        put(out.c_str());
    }

    void erase(int from) {
        line_.remove(from, cursor_ - from);
        cursor_ = from;
    }
    void remove_at_cursor() {
        if (cursor_ < line_.length()) {
            line_.remove(cursor_, 1);
        }
    }
    int word_start() const {
        int at = cursor_;
        while (at > 0 && line_[at - 1] == ' ') {
            --at;
        }
        while (at > 0 && line_[at - 1] != ' ') {
            --at;
        }
        return at;
    }
    void recall(int step) {
        const int wanted = position_ + step;
        if (wanted < 0 || wanted > history.count()) {
            return;
        }
        if (position_ == history.count()) {
            unfinished_ = line_;
        }
        position_ = wanted;
        line_ = wanted == history.count() ? unfinished_ : history[wanted];
        cursor_ = line_.length();
    }

    const char* prompt_;
    String& line_;
    String unfinished_;
    int cursor_ = 0;
    int position_;
    char last_key_ = 0;
};

}  // namespace

LineResult edit_line(const char* prompt, String& line) {
    fflush(stdout);
    LineResult result;
    {
        RawMode raw;
        result = Editor(prompt, line).run();
    }
    if (interrupted == SIGINT && result == LineResult::Line) {
        write(STDOUT_FILENO, "\n", 1);
        return LineResult::Interrupted;
    }
    if (result == LineResult::Line && !line.empty() && (history.empty() || !history.last().equals(line.c_str()))) {
        history.add(line);
        if (history.count() > history_capacity) {
            history.remove(0);
        }
    }
    return result;
}
