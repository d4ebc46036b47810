"""Hand-ins that were never meant to be honest, or that went wrong: what each does, and what a student must be told.

A case makes a folder as it would be handed in for lab 2. `says` is a piece of the reason; the mark is 0 in every case.
"""
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
FILE = "src/kernel/proc/pid.cpp"
MACHINE = "PidMachine.four_cores_never_get_the_same_number@target"
ORDER = "PidOrder.starts_with_init_and_rises_by_one"


@dataclass
class Case:
    name: str
    make: Callable[[Path], None]
    says: str
    check: str = ""         # run this check only; its outcome must say `says`


def reference() -> str:
    return (TREE / FILE).read_text()


def put(folder: Path, data: str | bytes, path: str = FILE) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data.encode() if isinstance(data, str) else data)


def file(data: str | bytes, path: str = FILE) -> Callable[[Path], None]:
    return lambda folder: put(folder, data, path)


def head(text: str) -> Callable[[Path], None]:
    """The reference with lines in front of it."""
    return lambda folder: put(folder, text + "\n" + reference())


def tail(text: str) -> Callable[[Path], None]:
    return lambda folder: put(folder, reference() + "\n" + text + "\n")


def body(text: str, front: str = "") -> Callable[[Path], None]:
    """The reference, whose pid_allocate begins with `text`."""
    start = "Result<Pid> pid_allocate() {\n"

    def make(folder: Path) -> None:
        source = reference()
        assert source.count(start) == 1
        put(folder, front + source.replace(start, start + text + "\n"))
    return make


def link(to: str, path: str = FILE) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(to)
    return make


def linked_folder(folder: Path) -> None:
    put(folder, reference(), "elsewhere/proc/pid.cpp")
    (folder / "src").mkdir()
    (folder / "src/kernel").symlink_to("../elsewhere")


def pipe(folder: Path) -> None:
    (folder / FILE).parent.mkdir(parents=True)
    os.mkfifo(folder / FILE)


def odd_names(folder: Path) -> None:
    for name in (b"\xff\xfe.cpp", b"new\nline.cpp", b"\x1b[31mred.cpp", b"<script>alert(1)<", b"-rf", "‮ppc.dip".encode()):
        (Path(os.fsdecode(os.fsencode(folder) + b"/" + name))).write_text("x")


def many_files(folder: Path) -> None:
    for i in range(5000):
        (folder / f"file{i}.txt").touch()


def empty_folder(folder: Path) -> None:
    pass


# What a file does in the kernel's address space, without a name of the kernel's: device registers and memory by their numbers. Only once
# the machine is up and the check runs, which is when numbers are asked for by the hundred.
REGISTERS = """
namespace {
[[maybe_unused]] volatile uint32_t& hardware(uint64_t physical) { return *reinterpret_cast<volatile uint32_t*>(0xffff'ff80'0000'0000 + physical); }
[[maybe_unused]] void say(uint64_t line, const char* text) {
    while (*text != 0) {
        hardware(line) = static_cast<unsigned char>(*text++);
    }
}
[[maybe_unused]] void switch_off() {
    hardware(0x3f10'0020) = 0x5a00'0555;
    hardware(0x3f10'001c) = 0x5a00'0020;
    for (volatile int i = 0;;) {
        int seen = i;
        (void)seen;
    }
}
}
"""
CONSOLE, SECOND_LINE = "0x3f20'1000", "0x3f21'5040"
# The name of the check under way, wherever the runner has written it down.
SPOIL_NAMES = """
        for (char* at = reinterpret_cast<char*>(reinterpret_cast<uint64_t>(&asked) & ~0xfffull) - (9 << 19); at < reinterpret_cast<char*>(&asked); ++at) {
            const char name[] = "achine.four_cores_never";
            if (at[0] == 'M' && std::equal(name, name + sizeof name - 1, at + 1)) {
                *at = 'X';
            }
        }"""


def in_check(text: str) -> Callable[[Path], None]:
    return body("    static int asked = 0;\n    if (++asked == 50) {\n" + text + "\n    }", '#include "base/types.h"\n' + REGISTERS)


MACRO_BOMB = "#define A0 1+1\n" + "".join(f"#define A{i} A{i - 1}+A{i - 1}+A{i - 1}+A{i - 1}\n" for i in range(1, 16)) + "int bomb() { return A15; }\n"

CASES = [
    # --- what does not come to the compiler ---
    Case("nothing handed in", empty_folder, "empty"),
    Case("an empty file", file(""), "is empty"),
    Case("white space only", file(" \n\t\n"), "is empty"),
    Case("a compiled file", file(b"\x7fELF\2\1\1" + bytes(100)), "compiled"),
    Case("a file with zero bytes", file(b"int a;\0\0"), "zero bytes"),
    Case("a file that is not UTF-8", file(b"// gr\xfc\xdfe\n"), "not UTF-8"),
    Case("text that reads otherwise than it compiles", file("// \u202e } ;\n"), "invisible character"),
    Case("a huge file", file("// x\n" * 3_000_000), "larger than"),
    Case("one endless line", file("int a;" * 10_000), "a line of"),
    Case("the file in the wrong folder", file("int a;", "lab2/kernel/pid.cpp"), "There is a file lab2/kernel/pid.cpp"),
    Case("the file under another name", file("int a;", "src/kernel/proc/Pid.cpp"), "There is a file src/kernel/proc/Pid.cpp"),
    Case("another lab's file", file("int a;", "src/mm/zone.cpp"), "hand-in for lab 1"),
    Case("a link to a file of the host", link("/etc/passwd"), "symbolic link"),
    Case("a link to the solution", link(str(TREE / FILE)), "symbolic link"),
    Case("a link to itself", link("pid.cpp"), "symbolic link"),
    Case("a linked folder", linked_folder, "should be"),
    Case("a pipe that nobody writes", pipe, "not a plain file"),
    Case("a folder with the file's name", file("x", FILE + "/x"), "not a plain file"),
    Case("odd file names", odd_names, "is missing"),
    Case("thousands of files", many_files, "is missing"),
    # --- what the text gives away ---
    Case("assembly between two digit separators", tail('int a = 1\'0; void f() { asm volatile("nop"); } int b = 1\'0;'), "inline assembly"),
    Case("another file's line behind a digit separator", tail("int a = 1'0; // ' /*\n#line 1 \"src/kernel/proc/pid.h\""), "no other directives"),
    Case("code in a header's lines", head("#define pid_maximum x(); inline void evil() {} int32_t pid_maximum"), "in front of the first #define"),
    Case("a line that goes on behind a form feed", head("// \\\f\n#line 1 \"src/kernel/proc/pid.h\""), "an invisible character"),
    Case("where the caller's words lie", body("    if (__builtin_frame_address(0) == nullptr) return Error::TryAgain;"), "`__builtin_frame_address`"),
    Case("brackets without end", tail("[[" * 4000 + "\n"), "a line of"),
    Case("brackets without end, line by line", tail("[[\n" * 60_000), "attribute"),
    Case("inline assembly", body('    asm volatile("nop");'), "inline assembly"),
    Case("assembly behind a macro", body('#define PASTE(a, b) a##b\n    PASTE(as, m)("nop");'), "inline assembly"),
    Case("a file taken in by assembly", tail('__asm__(".incbin \\"/etc/passwd\\"");'), "inline assembly"),
    Case("a file of the host included", head('#include "/etc/passwd"'), "does not compile"),
    Case("hidden checks included", head('#include "../labs/lab2/checks/hidden/pid_hidden.cpp"'), "does not compile"),
    Case("another lab's solution included", head('#include "mm/zone.cpp"'), "does not compile"),
    Case("the host's files by a header", head("#include <fstream>"), "no header that the kernel has"),
    Case("threads by a header", head("#include <thread>"), "no header that the kernel has"),
    Case("another face for the grader", head("#ifdef __SANITIZE_ADDRESS__\n#endif"), "no other directives"),
    Case("options of the compiler", head('#pragma GCC optimize("O0")'), "no other directives"),
    Case("options in an operator", head('_Pragma("GCC diagnostic ignored \\"-Wall\\"")'), "_Pragma"),
    Case("markers in a raw text", tail('const char* t = R"(\n# 1 "src/base/panic.h" 1\n)"; void f() { asm("nop"); }'), "raw texts"),
    Case("a constructor by attribute", tail("namespace { __attribute__((constructor)) void first() { pid_init(110); } }"), "in [[ ]]"),
    Case("a constructor by attribute of the other kind", tail("namespace { [[gnu::constructor]] void first() { pid_init(110); } }"), "attribute"),
    Case("a part of its own", tail('[[gnu::section(".init_array")]] void (*start)() = nullptr;'), "attribute"),
    Case("no sanitizer, please", tail("namespace { [[gnu::no_sanitize_address, maybe_unused]] void quiet() {} }"), "attribute"),
    Case("no sanitizer, in digraphs", tail("namespace { <:<:gnu::no_sanitize_address, maybe_unused:>:> void quiet() {} }"), "write the sign"),
    Case("a thread of the library's replaced", tail("namespace std { struct thread { void join(); }; inline void thread::join() {} }"), "namespace std"),
    Case("a weak panic", tail("[[gnu::weak]] void panic(const char*, uint64_t, uint64_t) { for (;;) {} }"), "attribute"),
    Case("a call of the explorer's engine", body("    __tsan_read1(nullptr);", 'extern "C" void __tsan_read1(void*);\n'), "`__tsan_read1`"),
    Case("a yield to the explorer", body("    explorer::relax();", "namespace explorer { void relax(); }\n"), "refers to `explorer::relax()`"),
    # --- what the compiler is asked to do ---
    Case("nonsense", file("This is my solution, have a nice day.\n"), "does not compile"),
    Case("a bomb of macros", tail(MACRO_BOMB), "more memory or output than there is"),
    Case("a huge object", tail("char huge[1u << 31] = {1};"), "pid.cpp"),
    Case("an endless computation at compile time", tail("constexpr int f(int n) { int s = 0; for (;;) { s += n; } }\nconstexpr int x = f(1);"), "does not compile"),
    # --- what the object gives away ---
    Case("a global object with a constructor", tail("namespace { struct First { First() { (void)pid_init(110).ok(); } } first; }"), "without being called"),
    Case("a shell", body('    system("id");', 'extern "C" int system(const char*);\n'), "refers to `system`"),
    Case("a fork bomb", body("    while (fork() >= 0) {\n    }", 'extern "C" int fork() noexcept;\n'), "refers to `fork`"),
    Case("killing the runner", body("    kill(-1, 9);", 'extern "C" int kill(int, int);\n'), "refers to `kill`"),
    Case("leaving with success", body("    _exit(0);", 'extern "C" void _exit(int);\n'), "refers to `_exit`"),
    Case("a forged record", body('    write(4, "passed", 6);', 'extern "C" long write(int, const void*, unsigned long);\n'), "refers to `write`"),
    Case("saying that a panic was due", body("    panic_is_due = true;", "extern bool panic_is_due;\n"), "refers to `panic_is_due`"),
    Case("asking how many steps may still fail", body("    if (failpoint::steps() == 7) return Error::TryAgain;", "#include \"base/failpoint.h\"\n"), "refers to `failpoint::steps"),
    Case("reading the seed", body("    if (check_seed == 1) return Error::TryAgain;", "extern unsigned long check_seed;\n"), "refers to `check_seed`"),
    Case("swallowing panics", body("    try { pid_take(Pid(1), PidUse::Group); } catch (...) {}"), "refers to `__cxa"),
    Case("throwing", body("    throw 1;"), "refers to `__cxa"),
    Case("a panic of its own", tail("void panic(const char*, uint64_t, uint64_t) { for (;;) {} }"), "defines `panic"),
    Case("a main of its own", tail("int main() {}"), "defines `main`"),
    Case("a memcpy of its own", tail('extern "C" void* memcpy(void* to, const void*, size_t) { return to; }'), "defines `memcpy`"),
    Case("an allocator of its own", tail("void* operator new(size_t) { static char room[64]; return room; }"), "defines `operator new"),
    Case("a function less", lambda folder: put(folder, reference().replace("uint32_t next_id_version()", "uint32_t next_id_versions()")), "defines `next_id_versions"),
    # --- what happens when it runs ---
    Case("an endless loop", body("    for (volatile int i = 0;;) { int seen = i; (void)seen; }"), "did not come to an end", ORDER),
    Case("an endless wait", body("    for (;;) { cpu::relax(); }"), "did not come to an end", ORDER),
    Case("endless recursion", body("    return deeper(1);", '#include "kernel/proc/pid.h"\nstatic Result<Pid> deeper(int n) { volatile char room[4096]; room[n] = 1; if (n > 1000000) return Error::TryAgain; Result<Pid> r = deeper(n + room[n]); return r; }\n'),
         "stack-overflow", ORDER),
    Case("a call into nowhere", body("    reinterpret_cast<void (*)()>(reinterpret_cast<uint64_t>(&pid_maximum) - 0x12345)();"), "", ORDER),
    Case("a pointer into nowhere", body("    *reinterpret_cast<volatile int*>(8) = 1;"), "AddressSanitizer", ORDER),
    Case("a write behind an array", body("    volatile int i = numbers; uses[i] = 1;"), "out of bounds", ORDER),
    Case("a trap", body("    __builtin_trap();"), "", ORDER),
    Case("all memory", body("    static char hog[1500u << 20]; for (char& c : hog) { *const_cast<volatile char*>(&c) = 1; }"), "more memory", ORDER),
    # --- what happens when it runs in the kernel ---
    Case("a record forged on the second line", in_check(f'        say({SECOND_LINE}, "2 pass {MACHINE[:-7]}  0\\n3 end -  0\\n");'), "not the grader's", MACHINE),
    Case("noise on the second line", in_check(f'        say({SECOND_LINE}, "\\x01\\xff\\n");'), "not the grader's", MACHINE),
    Case("a success told on the console", in_check(f'        say({CONSOLE}, "OK (1 tests)\\n0 pass {MACHINE[:-7]}\\nforklore: power off, status 0\\n");\n        switch_off();'),
         "switched off before", MACHINE),
    Case("an early power-off", in_check("        switch_off();"), "switched off before", MACHINE),
    Case("an endless loop in the kernel", in_check("        for (volatile int i = 0;;) { int seen = i; (void)seen; }"), "did not come to an end", MACHINE),
    Case("an endless loop with interrupts off", in_check('        static SpinLock held{LockRank::Console, "mine"};\n        SpinGuard guard(held);\n        for (volatile int i = 0;;) { int seen = i; (void)seen; }'),
         "", MACHINE),
    Case("endless output", in_check(f'        for (;;) {{ say({CONSOLE}, "and on and on and on\\n"); }}'), "printed more", MACHINE),
    Case("endless records", in_check(f'        for (;;) {{ say({SECOND_LINE}, "and on and on and on"); }}'), "second serial line", MACHINE),
    Case("the runner's own words overwritten", in_check(SPOIL_NAMES), "", MACHINE),
    Case("the kernel's data wiped", in_check("        for (uint64_t* at = reinterpret_cast<uint64_t*>(&asked); ; --at) { *const_cast<volatile uint64_t*>(at) = 0; }"), "", MACHINE),
    Case("a verdict asked of the runner", body("    records::pass();", "namespace records { void pass(); }\n"), "refers to `records::pass"),
    Case("a signature asked of the runner", body('    signature("0 pass");', "#include <string_view>\nuint64_t signature(std::string_view);\n"), "refers to `signature"),
]
