// Starting the polled console; boot/main.cpp does it once.
#pragma once

namespace console {

void start();

}  // namespace console
