// The other cores, stopped for good and without a word: before the last line of a run that ends in peace.
#pragma once

void silence_others();      // any context; a core that can not be reached is left alone
