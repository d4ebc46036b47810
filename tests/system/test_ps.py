"""ps -f: the family tree, with who runs on whose thread."""
import subprocess

from support import BUILD, ROOT, Case, run

# A child sleeps on the loan; another child sleeps in a body of its own; a third is a zombie.
FAMILY = """#include <unistd.h>
int main(void) {
    if (fork() == 0) { sleep(100); _exit(0); }
    if (fork() == 0) { _exit(0); }
    if (vfork() == 0) { sleep(100); _exit(0); }
    return 0;
}
"""


class Ps(Case):
    def test_the_tree_shows_states_and_a_child_on_loan_below_its_lender(self) -> None:
        (self.folder / "family.c").write_text(FAMILY)
        subprocess.run([str(BUILD / "bin" / "forklore-cc"), str(self.folder / "family.c"), "-o", str(self.folder / "family")], cwd=ROOT, check=True)
        done = run(CMD="/add/family & sleep 1; ps -f", ADD=str(self.folder))
        self.assertEqual(done.status, 0, done.said)
        # The lender's own state is that of the thread that it lends.
        self.assertRegex(done.console, r"(?m)^    2     1 \S+ .* `- sh$")
        self.assertRegex(done.console, r"(?m)^    3     2 S\S* .* \|- family \(lends 1\)$")
        self.assertRegex(done.console, r"(?m)^ +\d+     3 S\S* .* \|   \|- family$")
        self.assertRegex(done.console, r"(?m)^ +\d+     3 Z\S* .* \|   \|- family$")
        self.assertRegex(done.console, r"(?m)^ +\d+     3 L\S* .* \|   `- family \(on loan\)$")
        plain = run(CMD="ps").console
        self.assertNotIn("|-", plain)
