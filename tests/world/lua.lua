-- What Lua asks of a kernel: memory, files, other programs; and of the C library: long jumps, numbers.
print(_VERSION, 10 // 3, 2 ^ 0.5, 0x7fffffffffffffff, 1e308 * 10)
local pipe = io.popen("echo hello; exit 3")
print(pipe:read("a"), pipe:close())
print(os.execute("exit 4"))
print(os.execute("kill -9 $$"))
local resume = coroutine.wrap(function(a) local b = coroutine.yield(a + 1); error("boom " .. b) end)
print(resume(1), pcall(resume, 5))
local name = os.tmpname()
local file = assert(io.open(name, "w"))
for i = 1, 1000 do file:write(i, "\n") end
file:close()
local sum = 0
for line in io.lines(name) do sum = sum + tonumber(line) end
print(sum, os.remove(name), io.open(name) == nil)
local big = {}
for i = 1, 200000 do big[i] = tostring(i) end
print(#big, #table.concat(big))
big = nil
collectgarbage()
print(collectgarbage("count") < 4000)
print(string.format("%5.2f|%q|%x", math.pi, "a\nb", 255), ("x"):rep(3, "-"))
print(#os.date("%Y-%m-%d"), os.getenv("HOME"), os.getenv("NOBODY"))
print(select("#", table.unpack({1, 2, nil, 4}, 1, 4)), utf8.char(228, 8364))
