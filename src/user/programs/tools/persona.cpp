// persona: for whom a process acts.
#include "user/programs/tools/tool.h"

#include <spawn.h>
#include <sys/wait.h>

#include "forklore/forklore.h"

extern char** environ;

static constexpr char help[] =
    "usage: persona [PID]\n"
    "       persona [-n NUMBER] NAME COMMAND [ARGUMENT...]\n"
    "Writes the number and the name of the persona that a process carries (this one, or PID). With a command: runs it under\n"
    "a new persona of that name.\n"
    "  -n NUMBER  under that persona instead, which some process carries (0: none); no NAME then\n";

static int show(pid_t pid) {
    ForklorePersona info;
    if (persona(pid, &info) < 0) {
        return complain_about("persona");
    }
    info.number != 0 ? printf("%d (%s)\n", info.number, info.name) : printf("none\n");
    return 0;
}

static int run(const posix_spawnattr_t& attributes, char** command) {
    pid_t pid;
    errno = posix_spawnp(&pid, command[0], nullptr, &attributes, command, environ);
    if (errno != 0) {
        complain_about(command[0]);
        return errno == ENOENT ? 127 : 126;
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int persona_main(int argc, char** argv) {
    const char* number = nullptr;
    while (next_option(argc, argv, "+n:", help) != -1) {
        number = optarg;
    }
    const int words = argc - optind;
    if (number == nullptr && words <= 1) {
        return show(words == 1 ? static_cast<pid_t>(number_argument(argv[optind])) : 0);
    }
    if (words == 0) {
        usage_error("a command is wanted");
    }
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPERSONA_NP);
    if (number != nullptr) {
        posix_spawnattr_setpersona_np(&attributes, static_cast<int>(number_argument(number)));
    } else {
        posix_spawnattr_setnewpersona_np(&attributes, argv[optind++]);
    }
    return run(attributes, argv + optind);
}
