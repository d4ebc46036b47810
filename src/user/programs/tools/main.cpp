// One program, many commands: looks at the name it was called by.
#include "user/programs/tools/tool.h"

const char* tool_name = "tools";

using Main = int (*)(int, char**);

#define EACH_TOOL(tool)                                                                                        \
    tool(audit) tool(cat) tool(chmod) tool(clear) tool(coalitions) tool(cp) tool(date) tool(dmesg) tool(echo)  \
    tool(env) tool(false) tool(free) tool(grep) tool(head) tool(hexdump) tool(id) tool(ipcrm) tool(ipcs)       \
    tool(jetsam) tool(kill) tool(ls) tool(mkdir) tool(mv) tool(nice) tool(persona) tool(pidmap) tool(pmap)     \
    tool(poweroff) tool(ps) tool(pwd) tool(reboot) tool(rm) tool(rmdir) tool(seq) tool(sleep) tool(sort)       \
    tool(stat) tool(tail) tool(tee) tool(temperature) tool(touch) tool(true) tool(uname) tool(uptime) tool(wc) \
    tool(yes) tool(zprint)

#define DECLARE(name) int name##_main(int, char**);
EACH_TOOL(DECLARE)

struct Tool {
    const char* name;
    Main run;
};
#define ENTRY(name) {#name, name##_main},
static constexpr Tool tools[] = {EACH_TOOL(ENTRY)};

static const char* base_name(const char* path) {
    const char* slash = strrchr(path, '/');
    return slash != nullptr ? slash + 1 : path;
}

static int finish(int status) {
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return status != 0 ? status : complain_about("standard output");
    }
    return status;
}

// `tools ls -l` is `ls -l`; `tools` alone lists the commands.
int main(int argc, char** argv) {
    for (int attempt = 0; attempt < 2 && argc > 0; ++attempt, ++argv, --argc) {
        for (const Tool& tool : tools) {
            if (strcmp(tool.name, base_name(argv[0])) == 0) {
                tool_name = tool.name;
                return finish(tool.run(argc, argv));
            }
        }
    }
    for (const Tool& tool : tools) {
        printf("%s\n", tool.name);
    }
    return finish(argc > 0 ? 127 : 0);
}
