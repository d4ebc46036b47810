"""The grader's command line; make's verbs call it with options as NAME=value or in FORKLORE_* variables.

    grade LAB=N [SUBMISSION=dir] [HIDDEN=dir] [CHECK=id [REPLAY=schedule] [GDB=1 [AT=N]]] [SEED=N or VARIANT=name] [OUT=dir] [QUIET=1]
          [BOARD=/dev/ttyUSB0 [RESET="command"] [WAIT=seconds] [BAUD=N]]     the target tier on a board (docs/boards.md)
    grade-class LAB=N SUBMISSIONS=dir [HIDDEN=dir] [OUT=dir] [SCHEDULER=slurm] [SSHLOGIN=host,host] [JOBS=N] [THRESHOLD=percent]
          [SEED=N or VARIANTS=1, which takes each submission's name as its variant]
    grade-member PLAN=file INDEX=N          one of a class; its workers
    check-labs [LAB=N] [SAMPLE=1]
    prepare LAB=N [HIDDEN=dir]              builds all but a submission
    autograder LAB=N [HIDDEN=dir] [OUT=file.zip]
    handout LAB=N OUT=dir [CARRY=dir] [SOLVED=1] [VARIANT=name]

Exit status of grade: 0 full marks, 1 not, 2 the grader or its machine failed. (Make itself turns each failure into 2.)
"""
import difflib
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from . import board_tier, building, reference, report, variant
from .grade import Printer, Request, debug, grade, new_seed, summary
from .lab import TREE, Failure, Lab, load
from .verdict import printable

if TYPE_CHECKING:
    from . import class_run

REASONS_SHOWN = 3


def text(name: str, default: str = "") -> str:
    return os.environ.get("FORKLORE_" + name) or default


def number(name: str, default: int) -> int:
    value = text(name)
    if value and not (value.isascii() and value.isdigit()):
        raise Failure(f"{name}={value}: a number is wanted")
    return int(value) if value else default


def the_lab() -> Lab:
    if not text("LAB"):
        raise Failure("Which lab? LAB=1, for instance")
    return load(number("LAB", 0), Path(text("HIDDEN")) if text("HIDDEN") else None)


def asked_seed() -> int:
    """0: none."""
    if (seed := number("SEED", 0)) >= 2**64:
        raise Failure(f"SEED={seed}: a seed has 64 bits")
    return seed


def the_seed(lab: Lab) -> int:
    """SEED=, else what belongs to the variant, else a new one."""
    name = text("VARIANT") or variant.of_tree()
    return asked_seed() or (variant.seed_of(lab.number, name) if name else new_seed())


def the_check(lab: Lab) -> str:
    """The id of CHECK=, of which `@target` may be left out unless the host tier has a check of that name. Empty: all checks."""
    asked = text("CHECK")
    ids = ["", *(check.id for check in lab.checks)]
    for known in (asked, f"{asked}@target"):
        if known in ids:
            return known
    near = difflib.get_close_matches(asked, ids, 1)
    raise Failure(f"CHECK={asked}: lab {lab.number} has no such check" + (f"; did you mean {near[0]}?" if near else ""))


def grade_verb() -> int:
    lab = the_lab()
    request = Request(lab, Path(text("SUBMISSION", str(TREE))), the_seed(lab), the_check(lab), text("REPLAY"), number("JOBS", os.cpu_count() or 1),
                      board_tier.options_from_environment())
    if request.board and any(check.id == request.only and check.look for check in lab.checks):
        raise Failure(f"CHECK={request.only} is not on a board: the grader looks into the machine there, through QEMU's debug port")
    if request.replay and not request.only:
        raise Failure("REPLAY= goes with CHECK=: a schedule is one check's")
    if text("GDB") not in ("", "0"):
        return debug(request, reference.prepare(lab, request.only))
    printer, out = Printer(request, text("QUIET") == "1"), Path(text("OUT")) if text("OUT") else reference.grade_folder()
    report.remove(out)
    print(f"Lab {lab.number}: {lab.title} (seed {request.seed})", flush=True)
    made = grade(request, reference.prepare(lab, request.only), printer)
    report.write(made, request, out)
    print(printable("\n".join([summary(made), *made.notes])), flush=True)
    return made.status


def grade_class_verb() -> int:
    from . import class_run, similarity
    lab = the_lab()
    if not text("SUBMISSIONS"):
        raise Failure("SUBMISSIONS=dir: the folder with a folder for each submission")
    threshold = number("THRESHOLD", similarity.THRESHOLD)
    options = class_run.Options(Path(text("SUBMISSIONS")), Path(text("OUT")) if text("OUT") else reference.grade_folder() / f"class{lab.number}",
                                number("JOBS", os.cpu_count() or 1), text("SCHEDULER", "parallel"), text("SSHLOGIN"), asked_seed(), text("VARIANTS") == "1")
    with class_run.only_one(options.out):
        return graded_class(lab, options, threshold)


def graded_class(lab: Lab, options: "class_run.Options", threshold: int) -> int:
    from . import class_report, class_run, similarity
    from .class_plan import members
    from .class_store import Store
    unmarked = class_run.run(lab, options)
    store = Store(options.out / "results.sqlite")
    rows = store.rows()
    print(f"{len(rows)} submissions, {unmarked} without a verdict{': type the command again' if unmarked else ''}", flush=True)
    reasons = Counter(row.reason.strip() for row in rows if row.verdict == "infrastructure")
    for reason, count in reasons.most_common(REASONS_SHOWN):
        print(f"  {count} without a verdict: {reason}", flush=True)
    # The marks first: they do not depend on who is alike.
    class_report.write(lab, store, class_report.Alike(threshold, without="not compared yet"), options.out)
    try:
        alike = class_report.Alike(threshold, similarity.compare(lab, members(lab, options.submissions), threshold))
    except (Failure, OSError) as failure:
        alike = class_report.Alike(threshold, without=str(failure))
        print(f"Hand-ins are not compared with each other: {failure}", flush=True)
    class_report.write(lab, store, alike, options.out)
    print(f"{options.out}/class.html, scores.csv")
    return 2 if unmarked else 0


def grade_member_verb() -> int:
    from . import class_run
    return class_run.worker(Path(text("PLAN")), number("INDEX", 0))


def check_labs_verb() -> int:
    from . import check_labs
    labs = [the_lab()] if text("LAB") else check_labs.all_labs()
    return check_labs.check_labs(labs, number("JOBS", os.cpu_count() or 1), text("SAMPLE") == "1")


def handout_verb() -> int:
    from . import handout
    if not text("LAB") or not text("OUT"):
        raise Failure("LAB=2 OUT=dir: which lab, and where to?")
    carry = Path(text("CARRY")) if text("CARRY") else None
    handout.make_handout(number("LAB", 0), Path(text("OUT")), carry, text("SOLVED") == "1", text("VARIANT"))
    print(f"{text('OUT')} is ready")
    return 0


def prepare_verb() -> int:
    reference.prepare(the_lab())
    return 0


def autograder_verb() -> int:
    from . import autograder
    lab = the_lab()
    out = Path(text("OUT")) if text("OUT") else building.build_folder() / f"autograder-lab{lab.number}.zip"
    autograder.make_autograder(lab, out)
    print(out)
    return 0


VERBS: dict[str, Callable[[], int]] = {"grade": grade_verb, "grade-class": grade_class_verb, "grade-member": grade_member_verb, "check-labs": check_labs_verb, "handout": handout_verb, "prepare": prepare_verb, "autograder": autograder_verb}


def main() -> int:
    verb, *options = sys.argv[1:] or [""]
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not name.isupper():
            verb = ""
            break
        os.environ["FORKLORE_" + name] = value
    if verb not in VERBS:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return VERBS[verb]()
    except Failure as failure:
        print(failure, file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    except OSError as error:
        print(f"the grader's machine failed: {error}", file=sys.stderr)
    except Exception:       # Python would end with 1, which is said of a hand-in
        traceback.print_exc()
    return 2


if __name__ == "__main__":
    sys.exit(main())
