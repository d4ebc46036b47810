"""`make debug` has gdb read this: commands for the kernel's objects, and how its types are shown."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
sys.dont_write_bytecode = True

import commands
import printers
import replay
import snapshot

commands.define()
snapshot.define()
replay.define()
printers.register()
