// Stands before the file of this name that comes with Debian's cross libstdc++: that one asks for a
// header of glibc's. newlib needs no settings.
#pragma once
