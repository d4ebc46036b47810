// /dev/temperature: what the firmware measures, asked at each read from its beginning. Two lines,
// `temperature N` in thousandths of a degree Celsius and `throttled 0xN`, the flags of property::GetThrottled; a line that the
// firmware has no answer for is left out.
#pragma once

void make_temperature_file();
