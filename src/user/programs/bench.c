/*
 * bench - what processes, pipes, signals, memory and threads cost; POSIX calls and reads of the counter only, so that
 * the same source measures this kernel and Linux (`make bench` compares them).
 *
 * Under `qemu -icount shift=0` one tick of CNTVCT (62.5 MHz) is 16 guest instructions, summed over all cores; without it
 * 16 ns of the host's time. Each line is R,operation,parameter,runs,min,median,p90,max, in nanoseconds: instructions
 * under icount. An operation that is too short for the counter is repeated; its figures are those of one.
 *
 *   bench [row=NAME[/PARAMETER]] [runs=N] [pin] [pause]
 * runs one row, with N samples (101 unless told; at least 8); `pin` stays on one core (Linux); `pause` waits for a line on
 * standard input before the row, so that a profiler can be switched on.
 */
#ifdef __linux__
#define _GNU_SOURCE
#include <sched.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <unistd.h>
#include <fcntl.h>
#include <errno.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sys/mman.h>
#include <spawn.h>
#include <sched.h>
#include <signal.h>
#include <pthread.h>
#include <time.h>
#include <sys/resource.h>

enum { most_runs = 1001, warm = 8 };
#ifndef TINY
#define TINY "/bin/tiny"
#endif
#ifndef TINYC
#define TINYC "/bin/tinyc"
#endif
#define PAGE 4096

extern char **environ;

static inline uint64_t ticks(void)
{
	uint64_t v;
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(v) :: "memory");
	return v;
}
static inline uint64_t tick_hz(void)
{
	uint64_t v;
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(v));
	return v;
}

static uint64_t hz = 62500000;
static uint64_t s[most_runs];
static unsigned ns_runs;
static int runs = 101;
static const char *only;        /* NAME or NAME/PARAMETER, or 0: every row */
static int pausing;

/* True if the row is to be measured. */
static int wanted(const char *name, unsigned long param)
{
	if (only) {
		size_t n = strlen(name);
		if (strncmp(only, name, n)) return 0;
		if (only[n] == '/' ? strtoul(only + n + 1, 0, 10) != param : only[n] != 0) return 0;
	}
	if (pausing) {
		printf("I,ready %s/%lu\n", name, param);
		fflush(stdout);
		while (getchar() != '\n') ;
	}
	return 1;
}

static int cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* ns*10 per operation, printed with one decimal */
static void put(const char *name, unsigned long param, unsigned n, unsigned batch)
{
	unsigned i, idx[4];
	uint64_t v[4];
	qsort(s, n, sizeof s[0], cmp);
	idx[0] = 0; idx[1] = n / 2; idx[2] = n * 9 / 10; idx[3] = n - 1;
	for (i = 0; i < 4; i++)
		v[i] = s[idx[i]] * (10000000000ull / hz) / batch;
	printf("R,%s,%lu,%u,%lu.%lu,%lu.%lu,%lu.%lu,%lu.%lu\n", name, param, n,
	       (unsigned long)(v[0] / 10), (unsigned long)(v[0] % 10),
	       (unsigned long)(v[1] / 10), (unsigned long)(v[1] % 10),
	       (unsigned long)(v[2] / 10), (unsigned long)(v[2] % 10),
	       (unsigned long)(v[3] / 10), (unsigned long)(v[3] % 10));
	fflush(stdout);
	ns_runs += n;
}

static void die(const char *what)
{
	printf("F,%s,errno=%d\n", what, errno);
	fflush(stdout);
	_exit(3);
}

static void reap(pid_t pid)
{
	int st = -1;
	pid_t r;
	do r = waitpid(pid, &st, 0); while (r < 0 && errno == EINTR);
	if (r != pid || !WIFEXITED(st) || WEXITSTATUS(st) != 0) die("waitpid");
}

/* BATCHED: time `batch` executions of BODY per sample. */
#define BATCHED(name, param, batch, BODY) if (wanted(name, param)) do { \
	for (int w_ = 0; w_ < warm; w_++) { BODY; }                            \
	for (int i_ = 0; i_ < runs; i_++) {                                    \
		uint64_t t_ = ticks();                                                \
		for (int j_ = 0; j_ < (batch); j_++) { BODY; }                        \
		s[i_] = ticks() - t_;                                                 \
	}                                                                      \
	put(name, param, runs, batch);                                         \
} while (0)

/* SINGLE: PRE untimed, BODY timed, POST untimed. */
#define SINGLE(name, param, PRE, BODY, POST) if (wanted(name, param)) do {\
	for (int i_ = -warm; i_ < runs; i_++) {                                \
		PRE;                                                                  \
		uint64_t t_ = ticks();                                                \
		BODY;                                                                 \
		t_ = ticks() - t_;                                                    \
		if (i_ >= 0) s[i_] = t_;                                              \
		POST;                                                                 \
	}                                                                      \
	put(name, param, runs, 1);                                             \
} while (0)

static char *pages;
static unsigned npages;

static void touch(char *p, unsigned n, char v)
{
	for (unsigned i = 0; i < n; i++)
		*(volatile char *)(p + (size_t)i * PAGE) = v;
}

static void get_pages(unsigned n)
{
	npages = n;
	if (!n) return;
	pages = mmap(0, (size_t)n * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED) die("mmap");
#ifdef MADV_NOHUGEPAGE
	madvise(pages, (size_t)n * PAGE, MADV_NOHUGEPAGE);
#endif
	touch(pages, n, 1);
}

static void drop_pages(void)
{
	if (!npages) return;
	munmap(pages, (size_t)npages * PAGE);
}

static void pin(int cpu)
{
#ifdef __linux__
	cpu_set_t c;
	CPU_ZERO(&c);
	if (cpu >= 0) CPU_SET(cpu, &c); else for (int i = 0; i < 4; i++) CPU_SET(i, &c);
	sched_setaffinity(0, sizeof c, &c);
#else
	(void)cpu;
#endif
}

/* ---- the operations -------------------------------------------------- */

static inline void do_fork(void)
{
	pid_t p = fork();
	if (p == 0) _exit(0);
	if (p < 0) die("fork");
	reap(p);
}

/* fork among `count` living processes, which sleep */
static void fork_among(unsigned count)
{
	static pid_t living[1000];
	char c;
	int gate[2];
	if (only && strncmp(only, "fork_exit_wait_among", 20)) return;
	if (pipe(gate)) die("pipe");
	for (unsigned i = 0; i < count; i++) {
		if ((living[i] = fork()) < 0) die("fork");
		if (living[i] == 0) { close(gate[1]); _exit(read(gate[0], &c, 1) != 0); }
	}
	SINGLE("fork_exit_wait_among", count, , do_fork(), );
	close(gate[1]);
	for (unsigned i = 0; i < count; i++) reap(living[i]);
	close(gate[0]);
}

static inline void do_fork_touch(void)      /* child writes every extra page */
{
	pid_t p = fork();
	if (p == 0) { touch(pages, npages, 3); _exit(0); }
	if (p < 0) die("fork");
	reap(p);
}

static __attribute__((noinline)) void do_vfork(void)
{
	pid_t p = vfork();
	if (p == 0) _exit(0);
	if (p < 0) die("vfork");
	reap(p);
}
static __attribute__((noinline)) void do_vforkexec(char *prog)
{
	char *av[] = { prog, 0 };
	pid_t p = vfork();
	if (p == 0) { execve(prog, av, environ); _exit(9); }
	if (p < 0) die("vfork");
	reap(p);
}

static __attribute__((noinline)) void do_forkexec(char *prog)
{
	char *av[] = { prog, 0 };
	pid_t p = fork();
	if (p == 0) { execve(prog, av, environ); _exit(9); }
	if (p < 0) die("fork");
	reap(p);
}

static void do_spawn(char *prog)
{
	char *av[] = { prog, 0 };
	pid_t p;
	if (posix_spawn(&p, prog, 0, 0, av, environ)) die("posix_spawn");
	reap(p);
}

static void pingpong(const char *name)
{
	if (only && strncmp(only, name, strlen(name))) return;
	int a[2], b[2];
	char c = 0;
	pid_t p;
	const int batch = 20;
	if (pipe(a) || pipe(b)) die("pipe");
	p = fork();
	if (p < 0) die("fork");
	if (p == 0) {
		close(a[1]); close(b[0]);
		while (read(a[0], &c, 1) == 1)
			if (write(b[1], &c, 1) != 1) break;
		_exit(0);
	}
	close(a[0]); close(b[1]);
	BATCHED(name, 1, batch, {
		if (write(a[1], &c, 1) != 1 || read(b[0], &c, 1) != 1) die("pingpong");
	});
	close(a[1]); close(b[0]);
	reap(p);
}

static void pipe_self(void)
{
	if (only && strcmp(only, "pipe_write_read_1B_same_process")) return;
	int a[2];
	char c = 0;
	if (pipe(a)) die("pipe");
	BATCHED("pipe_write_read_1B_same_process", 1, 100, {
		if (write(a[1], &c, 1) != 1 || read(a[0], &c, 1) != 1) die("pipe_self");
	});
	close(a[0]); close(a[1]);
}

static char iobuf[4096];

static void pipe_stream(void)       /* 256 KiB through a pipe, 4-KiB writes and reads */
{
	if (only && strcmp(only, "pipe_stream_256KiB")) return;
	int a[2], b[2];
	pid_t p;
	const int total = 256 * 1024;
	char c;
	if (pipe(a) || pipe(b)) die("pipe");
	p = fork();
	if (p < 0) die("fork");
	if (p == 0) {
		close(a[1]); close(b[0]);
		long got = 0, n;
		while ((n = read(a[0], iobuf, sizeof iobuf)) > 0) {
			got += n;
			if (got >= total) { got -= total; if (write(b[1], "k", 1) != 1) break; }
		}
		_exit(0);
	}
	close(a[0]); close(b[1]);
	SINGLE("pipe_stream_256KiB", total, , {
		for (long left = total; left > 0; ) {
			long n = write(a[1], iobuf, sizeof iobuf);
			if (n <= 0) die("write");
			left -= n;
		}
		if (read(b[0], &c, 1) != 1) die("read");
	}, );
	close(a[1]); close(b[0]);
	reap(p);
}

/* two processes yielding to each other: K yields each; the figure is one yield of the parent,
 * i.e. there and back = two switches when each yield switches (the I line says whether).
 * Linux: SCHED_FIFO, because CFS does not switch at every sched_yield. */
static void fifo(int on)
{
#ifdef __linux__
	struct sched_param sp = { .sched_priority = on };
	if (sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &sp)) die("sched_setscheduler");
#else
	(void)on;
#endif
}

static void yield2(void)
{
	if (!wanted("sched_yield_x2_there_and_back", 200)) return;
	fifo(1);
	const int K = 200;
	int go[2], rdy[2];
	char c = 0;
	long sw = 0;
	for (int i = -4; i < runs; i++) {
		if (pipe(go) || pipe(rdy)) die("pipe");
		pid_t p = fork();
		if (p < 0) die("fork");
		if (p == 0) {
			if (write(rdy[1], &c, 1) != 1 || read(go[0], &c, 1) != 1) _exit(1);
			for (int k = 0; k < K; k++) sched_yield();
			_exit(0);
		}
		if (read(rdy[0], &c, 1) != 1) die("read");
		sched_yield();
		if (write(go[1], &c, 1) != 1) die("write");
		sched_yield();
		struct rusage r0, r1;
		getrusage(RUSAGE_SELF, &r0);
		uint64_t t = ticks();
		for (int k = 0; k < K; k++) sched_yield();
		t = ticks() - t;
		getrusage(RUSAGE_SELF, &r1);
		sw += r1.ru_nvcsw - r0.ru_nvcsw + r1.ru_nivcsw - r0.ru_nivcsw;
		if (i >= 0) s[i] = t;
		reap(p);
		close(go[0]); close(go[1]); close(rdy[0]); close(rdy[1]);
	}
	put("sched_yield_x2_there_and_back", K, runs, K);
	fifo(0);
	printf("I,yield2 parent context switches per %d yields: %ld\n", K, sw / (runs + 4));
}

static volatile int sigs;
static void onsig(int n) { (void)n; sigs++; }

static void end(pid_t pid)
{
	int st;
	kill(pid, SIGKILL);
	if (waitpid(pid, &st, 0) != pid || !WIFSIGNALED(st)) die("end");
}

/* Two processes, each of which sleeps until the other's signal has run its handler. */
static void signal_pingpong(void)
{
	if (only && strcmp(only, "signal_pingpong_roundtrip")) return;
	sigset_t usr, none;
	sigemptyset(&none);
	sigemptyset(&usr);
	sigaddset(&usr, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr, 0);
	signal(SIGUSR1, onsig);
	sigs = 0;
	pid_t parent = getpid(), p = fork();
	if (p < 0) die("fork");
	if (p == 0) for (;;) { sigsuspend(&none); kill(parent, SIGUSR1); }
	BATCHED("signal_pingpong_roundtrip", 0, 20, { if (kill(p, SIGUSR1)) die("kill"); sigsuspend(&none); });
	if (sigs != runs * 20 + warm) die("signals lost");
	end(p);
	sigprocmask(SIG_UNBLOCK, &usr, 0);
}

/* What a shell does for Ctrl-Z and `fg`: a sleeping child is stopped, seen to be, let go on, seen to. */
static void stop_continue(void)
{
	if (only && strcmp(only, "stop_wait_continue_wait")) return;
	int st;
	pid_t p = fork();
	if (p < 0) die("fork");
	if (p == 0) for (;;) pause();
	BATCHED("stop_wait_continue_wait", 0, 20, {
		if (kill(p, SIGSTOP) || waitpid(p, &st, WUNTRACED) != p || !WIFSTOPPED(st)) die("stop");
		if (kill(p, SIGCONT) || waitpid(p, &st, WCONTINUED) != p || !WIFCONTINUED(st)) die("continue");
	});
	end(p);
}

static void *thr(void *a) { return a; }

int main(int argc, char **argv)
{
	static const unsigned sizes[] = { 0, 64, 256, 1024, 4096 };
	unsigned k;
	int onecpu = 0;
	(void)onecpu;

	hz = tick_hz();
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "pin")) onecpu = 1;
		else if (!strcmp(argv[i], "pause")) pausing = 1;
		else if (!strncmp(argv[i], "row=", 4)) only = argv[i] + 4;
		else if (!strncmp(argv[i], "runs=", 5)) runs = atoi(argv[i] + 5);
	}
	if (runs < 8 || runs > most_runs) runs = 101;
	if (onecpu) pin(0);
	printf("I,bench hz=%lu runs=%d warm=%d pinned=%d now=%lu\n", (unsigned long)hz,
	       runs, warm, onecpu, (unsigned long)ticks());
	fflush(stdout);

	BATCHED("empty_loop", 0, 1000, __asm__ volatile(""));
	BATCHED("cntvct_read", 0, 1000, (void)ticks());
	BATCHED("null_syscall_getppid", 0, 1000, (void)getppid());
	{ struct timespec ts; BATCHED("clock_gettime_monotonic", 0, 1000, clock_gettime(CLOCK_MONOTONIC, &ts)); }
	{
		int fd = open("/dev/null", O_WRONLY);
		if (fd >= 0) { char c = 0; BATCHED("write_1B_dev_null", 1, 1000, (void)!write(fd, &c, 1)); close(fd); }
	}

	for (k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
		get_pages(sizes[k]);
		/* parent has written every extra page since the last fork */
		SINGLE("fork_exit_wait", sizes[k], touch(pages, npages, 2), do_fork(), );
		/* pages untouched since the last fork (already write-protected under COW) */
		SINGLE("fork_exit_wait_untouched", sizes[k], , do_fork(), );
		SINGLE("fork_childwrites_exit_wait", sizes[k], touch(pages, npages, 2), do_fork_touch(), );
		if (sizes[k])
			SINGLE("parent_rewrites_after_fork", sizes[k], do_fork(), touch(pages, npages, 4), );
		SINGLE("vfork_exit_wait", sizes[k], touch(pages, npages, 2), do_vfork(), );
		SINGLE("fork_exec_tiny_wait", sizes[k], touch(pages, npages, 2), do_forkexec(TINY), );
		SINGLE("vfork_exec_tiny_wait", sizes[k], touch(pages, npages, 2), do_vforkexec(TINY), );
		SINGLE("posix_spawn_tiny_wait", sizes[k], touch(pages, npages, 2), do_spawn(TINY), );
		drop_pages();
	}
	{
		SINGLE("fork_exec_tinyc_wait", 0, , do_forkexec(TINYC), );
		SINGLE("vfork_exec_tinyc_wait", 0, , do_vforkexec(TINYC), );
	}

	for (k = 10; k <= 1000; k *= 10) fork_among(k);

	pipe_self();
	pingpong("pipe_pingpong_roundtrip");
#ifdef __linux__
	if (!onecpu) { pin(0); pingpong("pipe_pingpong_roundtrip_pinned"); pin(-1); }
#endif
	pipe_stream();

	{
		char *m;
		SINGLE("mmap_touch_munmap_1page", 1, , {
			m = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (m == MAP_FAILED) die("mmap");
			*(volatile char *)m = 1;
			munmap(m, PAGE);
		}, );
		SINGLE("mmap_touch_1page", 1, , {
			m = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (m == MAP_FAILED) die("mmap");
			*(volatile char *)m = 1;
		}, munmap(m, PAGE));
		SINGLE("page_fault_zero_1page", 1, {
			m = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (m == MAP_FAILED) die("mmap");
		}, *(volatile char *)m = 1, munmap(m, 2 * PAGE));
		SINGLE("page_faults_zero_256pages", 256, {
			m = mmap(0, 256 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (m == MAP_FAILED) die("mmap");
#ifdef MADV_NOHUGEPAGE
			madvise(m, 256 * PAGE, MADV_NOHUGEPAGE);
#endif
		}, touch(m, 256, 1), munmap(m, 256 * PAGE));
	}
	{
		char *b;
		SINGLE("sbrk_touch_1page", 1, , {
			b = sbrk(PAGE);
			if (b == (char *)-1) die("sbrk");
			*(volatile char *)(b + PAGE - 1) = 1;
		}, (void)!sbrk(-PAGE));
	}
	BATCHED("sched_yield_alone", 0, 500, sched_yield());
	pin(0);
	yield2();
	if (!onecpu) pin(-1);
	signal(SIGUSR1, onsig);
	BATCHED("signal_self_handler_return", 0, 100, kill(getpid(), SIGUSR1));
	if (sigs && sigs != runs * 100 + warm) die("signals lost");
	signal_pingpong();
	stop_continue();
	{
		int fd;
		BATCHED("open_close_file", 0, 100, { fd = open(TINY, O_RDONLY); if (fd < 0) die("open"); close(fd); });
		fd = open(argv[0], O_RDONLY);
		if (fd >= 0) {
			SINGLE("file_read_64KiB_in_4KiB", 65536, lseek(fd, 0, SEEK_SET), {
				for (int j = 0; j < 16; j++) if (read(fd, iobuf, 4096) != 4096) die("read");
			}, );
			close(fd);
		}
	}
	{
		pthread_t t;
		SINGLE("pthread_create_join", 0, , { if (pthread_create(&t, 0, thr, 0)) die("pthread"); pthread_join(t, 0); }, );
	}
	{
		static char x[4096 * 16], y[4096 * 16];
		memset(y, 1, sizeof y);
		SINGLE("libc_memcpy_64KiB", 65536, , { memcpy(x, y, sizeof x); __asm__ volatile("" ::: "memory"); }, );
		SINGLE("libc_memset_64KiB", 65536, , { memset(x, 0, sizeof x); __asm__ volatile("" ::: "memory"); }, );
	}
	printf("I,bench end now=%lu samples=%u\n", (unsigned long)ticks(), ns_runs);
	return 0;
}
