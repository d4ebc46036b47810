"""What the grader makes of a hand-in's text: every known solution passes, and no trick of the preprocessor's hides code from it."""
import subprocess
import sys
import time
import unittest
from pathlib import Path

from support import ROOT

sys.path.insert(0, str(ROOT / "labs"))
from grader import handin, inspection                           # noqa: E402
from grader.check_labs import all_labs, lay_out, specimens      # noqa: E402
from grader.inspection import Refused                           # noqa: E402
from grader.lab import load                                     # noqa: E402
from grader.sandbox import scratch                              # noqa: E402

PATH = "src/kernel/proc/pid.cpp"
LARGEST = handin.LARGEST


def preprocessed(text: str) -> str:
    """As the grader's front does it, but for a sandbox."""
    with scratch() as folder:
        (folder / "src/kernel/proc").mkdir(parents=True)
        (folder / PATH).write_text(text)
        done = subprocess.run(["g++", "-std=c++20", f"-I{ROOT}/src", f"-I{ROOT}/tests/host/machine_inline", "-E", PATH], cwd=folder,
                              capture_output=True, text=True, check=True)
    return done.stdout


def inspect(text: str) -> None:
    """Refused, or nothing."""
    data = text.encode()
    try:
        handin.check_text(PATH, data, load(2))
    except handin.Unusable as unusable:
        raise Refused(str(unusable)) from None
    inspection.check_source(PATH, data)
    lines, _ = inspection.own_lines(preprocessed(text), PATH)
    inspection.check_code(PATH, lines)


class Inspection(unittest.TestCase):
    def refuse(self, text: str, why: str) -> None:
        with self.assertRaises(Refused, msg=text) as raised:
            inspect(text)
        self.assertIn(why, str(raised.exception), text)

    def test_every_known_solution_passes(self) -> None:
        seen: set[bytes] = set()
        for lab in all_labs():
            for specimen in specimens(lab):
                with self.subTest(specimen.title), scratch() as folder:
                    lay_out(specimen, folder)
                    for file in specimen.lab.files:
                        data = (folder / file.path).read_bytes()
                        if data not in seen:
                            seen.add(data)
                            handin.check_text(file.path, data, lab)
                            inspection.check_source(file.path, data)

    def test_code_between_separators_of_digits_is_code(self) -> None:
        self.refuse("int a = 1'0; asm volatile(\"nop\"); int b = 1'0;\n", "inline assembly")
        self.refuse("int a = 1'0; // ' /*\n#ifdef X\n#endif\n", "no other directives")
        self.refuse("int a = 1'0; // ' /*\n#line 1 \"other.h\"\nasm(\"nop\");\n", "no other directives")
        self.refuse("int a = 1'; int b = '0;\n", "a ' behind a number")
        inspect("unsigned long a = 1'000'000ul + 0x1'f, b = 1.5e+3 < 2, c = 'x';\n")

    def test_lines_stay_the_files_own(self) -> None:
        self.refuse("#define pid_maximum x(); inline void evil() {} int pid_maximum\n#include \"kernel/proc/pid.h\"\n", "in front of the first #define")
        self.refuse("#define f() g()\n#include <array>\n", "in front of the first #define")
        self.refuse("#undef true\n#include <array>\n", "in front of the first #define")
        self.refuse("#include HEADER\n", "the name of one header")
        self.refuse("#include </*x>\nint a; /* */ asm(\"nop\");\n", "no name of a header")
        self.refuse("int a; /* \n */ #line 1 \"x.h\"\n", "a # amid a line")
        self.refuse("# 1 \"x.h\"\nint a;\n", "no other directives")

    def test_lines_are_joined_as_the_compiler_joins_them(self) -> None:
        for blank in ("\f", "\v", "\x1c", "\u0085", "\u2028", "\r "):
            self.refuse(f"// x \\{blank}\n#line 1 \"other.h\"\nint a;\n", "an invisible character")
        self.refuse("as\\\nm(\"nop\");\n", "inline assembly")
        self.refuse("as\\ \t\nm(\"nop\");\n", "inline assembly")
        self.refuse("as\\\r\nm(\"nop\");\n", "inline assembly")
        self.refuse("/\\\n/ x \\\n \n#if 1\n#endif\n", "no other directives")
        self.refuse("int a;\nint b; \\\nasm(\"\");\n", "line 3")
        inspect("// a comment that goes on \\\nasm(\"nop\");\nint a;\r\n")

    def test_names_of_the_compilers_own_are_few(self) -> None:
        for name in ("__builtin_frame_address(0)", "__builtin_apply_args()", "__asan_locate_address", "_Exit(0)", "__builtin_thread_pointer()"):
            self.refuse(f"auto f() {{ return {name}; }}\n", "the compiler's and the library's own")
        self.refuse("#define PASTE(a, b) a##b\nint f() { PASTE(as, m)(\"nop\"); }\n", "inline assembly")
        self.refuse("#define PASTE(a, b) a##b\nauto f() { return PASTE(__builtin_frame_, address)(0); }\n", "own")
        self.refuse("#define PASTE(a, b) a##b\nauto f() { return PASTE(_, _builtin_frame_address)(0); }\n", "own")
        self.refuse("_Pragma(\"GCC optimize\") int a;\n", "_Pragma")
        inspect("#include <cstddef>\nstruct S { int a, b; };\nvoid* p = NULL;\nsize_t n = offsetof(S, b), m = SIZE_MAX;\n")

    def test_attributes_are_a_few_in_plain_brackets(self) -> None:
        for text in ("[[gnu::no_sanitize_address]] void f();", "[[using gnu: noinline, section(\"x\")]] void f();", "[ [gnu::constructor]] void f();",
                     "#define A gnu::weak\n[[A]] void f();", "[[gnu::noinline(1), clang::x]] void f();"):
            self.refuse(text + "\n", "attribute")
        for text in ("<:<:gnu::no_sanitize_address:>:> void f();", "void f() <% %>", "%:line 3"):
            self.refuse(text + "\n", "write the sign")
        self.refuse("__attribute__((weak)) void f();\n", "in [[ ]]")
        self.refuse("[[" * 3 + "x]]\n", "attribute")
        self.refuse("[[nodiscard\n", "attribute")
        self.refuse("[[gnu::aligned(" + "1+" * 100 + "1)]] int a;\n", "attribute")
        inspect("template <class T> struct S {};\nstruct G {};\nS<::G> s;\n[[nodiscard, gnu::noinline]] int f([[maybe_unused]] int a);\n[[using gnu: noinline]] int g(int (&a)[9], int (&b)[9]) {\n"
                "    if (a[b[0]]) [[unlikely]] { return [a] { return a[0]; }(); }\n    return 0;\n}\n")

    def test_namespace_std_is_not_opened(self) -> None:
        self.refuse("namespace std { struct thread { void join(); }; inline void thread::join() {} }\n", "namespace std")
        self.refuse("#define N std\nnamespace N::x { inline int f() { return 1; } }\n", "namespace std")
        self.refuse("namespace [[maybe_unused]] std {}\n", "namespace std")
        inspect("#include <utility>\nusing namespace std;\nnamespace s = std;\n")

    def test_what_can_be_read_in_two_ways_is_refused(self) -> None:
        self.refuse("const char* t = R\"(\nasm)\";\n", "raw texts")
        self.refuse("const char* t = u8R\\\n\"(asm)\";\n", "raw texts")
        self.refuse("const char* t = \"abc;\nint a;\n", "without its other half")
        self.refuse("int a; /* for ever\n", "does not end")
        self.refuse("int \\u0061sm;\n", "a backslash")
        self.refuse("int größe;\n", "no sign of C++")
        inspect("// größe, isn't it?\nconst char* t = \"// größe /* \\\" R'\"; /* \" ' */\n")

    def test_of_the_sanitizers_functions_only_those_that_code_calls_by_itself(self) -> None:
        for name in ("__asan_init", "__asan_report_store_n", "__asan_load4", "__asan_stack_malloc_3", "__asan_handle_no_return", "__ubsan_handle_add_overflow_abort"):
            self.assertTrue(inspection.RUN_TIME.fullmatch(name), name)
        for name in ("__asan_locate_address", "__asan_unpoison_memory_region", "__asan_set_shadow_00", "__asan_get_shadow_mapping", "__asan_set_death_callback",
                     "__asan_describe_address", "__asan_report_error", "__asan_address_is_poisoned"):
            self.assertFalse(inspection.RUN_TIME.fullmatch(name), name)

    def test_a_part_with_a_name_that_can_not_be_read_is_refused(self) -> None:
        with scratch() as folder:
            for name, why in ((".text.f", ""), ("two words", "can not be read"), (".odd", "a part named `.odd`")):
                (folder / "a.s").write_text(f'.section "{name}","a"\n.quad 1\n')
                subprocess.run(["as", "-o", str(folder / "a.o"), str(folder / "a.s")], check=True)
                if not why:
                    inspection.check_sections("readelf", folder / "a.o", "a.cpp", False)
                    continue
                with self.assertRaises(Refused) as raised:
                    inspection.check_sections("readelf", folder / "a.o", "a.cpp", False)
                self.assertIn(why, str(raised.exception))

    def test_the_largest_text_takes_no_longer_than_its_length(self) -> None:
        """Processor time, with room for a hundred times of what it takes."""
        texts = ("[[" * LARGEST, "/* " * LARGEST, "\"\\" * LARGEST, "1'0" * LARGEST, "((" * LARGEST, "\\\n" * LARGEST, "/*/" * LARGEST, "'" * LARGEST,
                 "\"\" " * LARGEST, "__attribute__((" * LARGEST, "#define A\n" * LARGEST, "[[nodiscard]]" * LARGEST, "\\ " * LARGEST)
        started = time.process_time()
        for text in texts:
            whole = text[:LARGEST]
            try:
                inspection.check_source(PATH, whole.encode())
            except Refused:
                pass
            try:
                inspection.check_code(PATH, [(1, whole)])
            except Refused:
                pass
        self.assertLess(time.process_time() - started, 60)


if __name__ == "__main__":
    unittest.main()
