// What CppUTest and newlib want of a platform, inside the kernel: an arena for `new`, the polled console
// for output, the machine's clock for time, and nothing else: no files, no processes.
//
// Only the thread that runs the tests comes here; worker threads never check and never allocate.
#include <cerrno>
#include <csetjmp>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

#include "CppUTest/TestHarness.h"
#include "CppUTest/PlatformSpecificFunctions.h"

#include "base/panic.h"
#include "machine/clock.h"
#include "machine/console.h"

namespace {

constexpr size_t arena_size = 4 << 20;
alignas(16) char arena[arena_size];
size_t arena_used = 0;

constexpr int deepest_jump = 10;
jmp_buf jumps[deepest_jump];
int jump_depth = 0;

char line[256];
size_t line_used = 0;

}  // namespace

extern "C" {

// newlib's malloc takes its memory here.
void* _sbrk(ptrdiff_t change) {
    if (change > 0 && static_cast<size_t>(change) > arena_size - arena_used) {
        errno = ENOMEM;
        return reinterpret_cast<void*>(-1);
    }
    void* before = arena + arena_used;
    arena_used += static_cast<size_t>(change);
    return before;
}

// newlib's stdio is linked because vsnprintf is beside it; nobody opens anything.
int _write(int, const void*, size_t) { errno = EBADF; return -1; }
int _read(int, void*, size_t) { errno = EBADF; return -1; }
int _close(int) { errno = EBADF; return -1; }
int _fstat(int, void*) { errno = EBADF; return -1; }
int _isatty(int) { return 0; }
long _lseek(int, long, int) { errno = EBADF; return -1; }
int _kill(int, int) { errno = ESRCH; return -1; }
int _getpid() { return 1; }
[[noreturn]] void _exit(int) { panic("a test called exit"); }

void* __dso_handle = nullptr;
}  // extern "C"

void* operator new(size_t size) {
    void* memory = malloc(size);
    if (memory == nullptr) {
        panic("the arena of the tests is used up");
    }
    return memory;
}
void* operator new[](size_t size) { return operator new(size); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }
// The kernel's own of these panic, for it never uses `new`; the link of the test image wraps them.
extern "C" void __wrap__ZdlPv(void* memory) { free(memory); }
extern "C" void __wrap__ZdlPvm(void* memory, size_t) { free(memory); }

TestOutput::WorkingEnvironment PlatformSpecificGetWorkingEnvironment() { return TestOutput::eclipse; }

static void flush_line() {
    console::put(std::string_view(line, line_used));
    line_used = 0;
}

static int put_character(int character) {
    line[line_used++] = static_cast<char>(character);
    if (character == '\n' || line_used == sizeof(line)) {
        flush_line();
    }
    return character;
}

static int set_jump(void (*function)(void*), void* data) {
    if (jump_depth == deepest_jump) {
        panic("tests are nested too deeply");
    }
    if (setjmp(jumps[jump_depth]) != 0) {
        return 0;
    }
    ++jump_depth;
    function(data);
    --jump_depth;
    return 1;
}

static void long_jump() { longjmp(jumps[--jump_depth], 1); }
static void restore_jump() { --jump_depth; }

static void run_apart(UtestShell* shell, TestPlugin*, TestResult* result) {
    result->addFailure(TestFailure(shell, "there is no separate process in the kernel"));
}
static int no_process() { return -1; }
static int no_wait(int, int*, int) { return -1; }
static long milliseconds() { return static_cast<long>(machine_clock::now() / 1'000'000); }
static const char* time_string() { return "in the kernel"; }
static PlatformSpecificFile no_file(const char*, const char*) { return nullptr; }
static void put_file(const char*, PlatformSpecificFile) {}
static void close_file(PlatformSpecificFile) {}
static double absolute(double value) { return value < 0 ? -value : value; }
static int is_nan(double value) { return value != value; }
static int is_infinite(double value) { return __builtin_isinf(value) != 0; }
static int at_exit(void (*)()) { return 0; }
static PlatformSpecificMutex no_mutex() { return nullptr; }
static void no_lock(PlatformSpecificMutex) {}

void (*PlatformSpecificRunTestInASeperateProcess)(UtestShell*, TestPlugin*, TestResult*) = run_apart;
int (*PlatformSpecificFork)() = no_process;
int (*PlatformSpecificWaitPid)(int, int*, int) = no_wait;

extern "C" {
int (*PlatformSpecificSetJmp)(void (*)(void*), void*) = set_jump;
void (*PlatformSpecificLongJmp)() = long_jump;
void (*PlatformSpecificRestoreJumpBuffer)() = restore_jump;
long (*GetPlatformSpecificTimeInMillis)() = milliseconds;
const char* (*GetPlatformSpecificTimeString)() = time_string;
int (*PlatformSpecificVSNprintf)(char*, size_t, const char*, va_list) = vsnprintf;
PlatformSpecificFile (*PlatformSpecificFOpen)(const char*, const char*) = no_file;
void (*PlatformSpecificFPuts)(const char*, PlatformSpecificFile) = put_file;
void (*PlatformSpecificFClose)(PlatformSpecificFile) = close_file;
int (*PlatformSpecificPutchar)(int) = put_character;
void (*PlatformSpecificFlush)() = flush_line;
void* (*PlatformSpecificMalloc)(size_t) = malloc;
void* (*PlatformSpecificRealloc)(void*, size_t) = realloc;
void (*PlatformSpecificFree)(void*) = free;
void* (*PlatformSpecificMemCpy)(void*, const void*, size_t) = memcpy;
void* (*PlatformSpecificMemset)(void*, int, size_t) = memset;
double (*PlatformSpecificFabs)(double) = absolute;
void (*PlatformSpecificSrand)(unsigned) = srand;
int (*PlatformSpecificRand)() = rand;
int (*PlatformSpecificIsNan)(double) = is_nan;
int (*PlatformSpecificIsInf)(double) = is_infinite;
int (*PlatformSpecificAtExit)(void (*)()) = at_exit;
PlatformSpecificMutex (*PlatformSpecificMutexCreate)() = no_mutex;
void (*PlatformSpecificMutexLock)(PlatformSpecificMutex) = no_lock;
void (*PlatformSpecificMutexUnlock)(PlatformSpecificMutex) = no_lock;
void (*PlatformSpecificMutexDestroy)(PlatformSpecificMutex) = no_lock;
}
