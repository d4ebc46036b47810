"""Anybody's programs: compiled with our compilers, added to the machine, run."""
import subprocess

from support import BUILD, ROOT, Case, run

C_PROGRAM = r"""
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    int status = 0;
    if (fork() == 0) { return 7; }
    wait(&status);
    printf("child: %d\n", WEXITSTATUS(status));
    return 3;
}
"""

CXX_PROGRAM = r"""
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

static std::optional<std::string> first_long(const std::vector<std::string>& words, std::size_t length) {
    const auto found = std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.size() >= length; });
    return found != words.end() ? std::optional(*found) : std::nullopt;
}

int main(int argc, char** argv) {
    std::vector<std::string> words(argv + 1, argv + argc);
    std::map<std::string, int> count;
    for (const auto& word : words) { ++count[word]; }
    std::sort(words.begin(), words.end());
    auto line = std::make_unique<std::string>();
    for (const auto& word : words) { *line += word + " "; }
    std::printf("%s| pear %d | %s | %ld\n", line->c_str(), count["pear"], first_long(words, 9).value_or("none").c_str(), std::lround(2.6));
}
"""


class Compilers(Case):
    def compile(self, compiler: str, name: str, source: str, *options: str) -> subprocess.CompletedProcess:
        file = self.folder / name
        file.write_text(source)
        (self.folder / "box").mkdir(exist_ok=True)
        return subprocess.run([str(BUILD / "bin" / compiler), str(file), "-o", str(self.folder / "box" / file.stem), *options],
                              cwd=ROOT, capture_output=True, text=True)

    def test_a_c_program_compiles_and_runs(self) -> None:
        made = self.compile("forklore-cc", "hello.c", C_PROGRAM, "-O2", "-Wall", "-Werror")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        result = run(ADD=str(self.folder / "box"), CMD="/add/hello")
        self.assertEqual((result.status, result.console.split()), (3, ["child:", "7"]))

    def test_a_cxx_program_compiles_and_runs(self) -> None:
        for standard in ("c++17", "c++20"):
            made = self.compile("forklore-c++", "words.cpp", CXX_PROGRAM, "-O2", "-Wall", "-Werror", "-std=" + standard)
            self.assertEqual((made.returncode, made.stderr), (0, ""))
            result = run(ADD=str(self.folder / "box"), CMD="/add/words pear fig pear apple pomegranate")
            self.assertEqual(result.status, 0, result.said)
            self.assertEqual(result.console.strip(), "apple fig pear pear pomegranate | pear 2 | pomegranate | 3")

    def test_a_mistake_is_the_compilers_to_report(self) -> None:
        made = self.compile("forklore-cc", "wrong.c", "int main(void) { return x; }")
        self.assertNotEqual(made.returncode, 0)
        self.assertIn("wrong.c:1", made.stderr)
