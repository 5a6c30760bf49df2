-- What the races of all editors have in common: a workspace of many functions, a provider that changes one line of each,
-- and who has won.

local M = {}

math.randomseed(math.floor(tonumber(vim.env.SEED) or 7))

local here = vim.fs.dirname(assert(debug.getinfo(1, 'S')).source:sub(2))
local root = vim.fs.normalize(vim.uv.fs_realpath(here) .. '/../..')

--- Lets time pass, in which messages are handled.
---@param milliseconds integer
function M.pass(milliseconds)
  vim.wait(milliseconds, function()
    return false
  end, 5)
end

--- Waits for something that there is nothing to listen to for.
---@param what string
---@param condition fun(): boolean
function M.await(what, condition)
  if not vim.wait(60000, condition, 2) then
    error('waited in vain for ' .. what)
  end
end

---@param rounds integer
---@return string
local function script(rounds)
  local turns = {}
  for number = 1, rounds do
    turns[#turns + 1] = ([=[
[[conversation]]
when_contains = "symbol: f%d ·"
[[conversation.turn]]
delay_ms = %d
[[conversation.turn.tool]]
name = "edit_symbol"
[conversation.turn.tool.input]
symbol = "f%d"
base = "{{hash:f%d}}"
reason = "a race"
[[conversation.turn.tool.input.edits]]
old_text = "    step_%d(0);"
new_text = "    step_%d(1);"
[[conversation.turn]]
text = "Done."
]=]):format(number, math.random(0, 40), number, number, number, number)
  end
  return table.concat(turns, '\n')
end

---@param rounds integer
---@return string[]
local function source(rounds)
  local lines = {}
  for number = 1, rounds do
    vim.list_extend(lines, {
      ('/// Counts %d.'):format(number),
      ('fn f%d(n: u32) -> u32 {'):format(number),
      '    let m = n + 1;',
      ('    step_%d(0);'):format(number),
      '    m',
      '}',
      '',
    })
  end
  return lines
end

---@class farthing.Race
---@field server string
---@field workspace string
---@field file string
---@field config string
---@field state string
---@field typed integer how many lines the user has typed
---@field line fun(number: integer): string what the user types
---@field ended fun(): integer how many runs have ended, as their journals have it
---@field judge fun(editor: string, text: string, asked?: integer): boolean
---@field finish fun()

--- Everything that a race needs, in folders of its own; the environment leads there.
---@param rounds integer
---@return farthing.Race
function M.prepare(rounds)
  local server = vim.env.FARTHING_SERVER or (root .. '/target/debug/farthing')
  local home = vim.fn.tempname()
  for name, folder in pairs({ CONFIG = 'config', STATE = 'state', CACHE = 'cache', DATA = 'data' }) do
    vim.fn.mkdir(('%s/%s/farthing'):format(home, folder), 'p')
    vim.env[('XDG_%s_HOME'):format(name)] = ('%s/%s'):format(home, folder)
  end
  vim.fn.mkdir(home .. '/workspace/src', 'p')
  vim.fn.writefile(vim.split(script(rounds), '\n'), home .. '/script.toml')
  vim.fn.writefile({
    '[budget]',
    'per_session = "$90000"',
    'per_day = "$90000"',
    'per_month = "$90000"',
  }, home .. '/config/farthing/config.toml')
  local file = home .. '/workspace/src/lib.rs'
  vim.fn.writefile(source(rounds), file)

  local said = ''
  local provider = vim.system({ server, 'scripted', '--script', home .. '/script.toml' }, {
    stdin = true,
    stdout = function(_, data)
      said = said .. (data or '')
    end,
  })
  M.await('the provider', function()
    return said:find('\n', 1, true) ~= nil
  end)
  local first = assert(said:match('^[^\n]*'))
  vim.env.ANTHROPIC_BASE_URL = vim.json.decode(first).base_url
  vim.env.ANTHROPIC_API_KEY = 'dummy'
  vim.env.NO_PROXY = '127.0.0.1'

  local race ---@type farthing.Race
  race = {
    server = server,
    workspace = home .. '/workspace',
    file = file,
    config = home .. '/config',
    state = home .. '/state',
    typed = 0,
    line = function(number)
      return ('// é😀 typed %d.'):format(number)
    end,
    ended = function()
      return #M._ends(home .. '/state/farthing/runs')
    end,
    judge = function(editor, text, asked)
      return M._judge(race, rounds, editor, text, asked)
    end,
    finish = function()
      provider:write(nil)
      provider:wait(5000)
    end,
  }
  return race
end

--- The last line of each journal whose run has ended.
---@private
---@param folder string
---@return string[]
function M._ends(folder)
  local ends = {}
  for name in vim.fs.dir(folder) do
    local last = vim.fn.readfile(folder .. '/' .. name, '', -1)[1] or ''
    if last:find('"ended"', 1, true) then
      ends[#ends + 1] = last
    end
  end
  return ends
end

--- The symbols whose change was refused, which the model was told.
---@private
---@param folder string
---@return table<string, boolean>
function M._refused(folder)
  local refused = {}
  for name in vim.fs.dir(folder) do
    local lines = vim.fn.readfile(folder .. '/' .. name)
    local symbol = vim.json.decode(lines[1]).event.symbol
    for _, line in ipairs(lines) do
      local event = vim.json.decode(line).event
      if event.event == 'replied' and event.verdict.verdict == 'refused' then
        refused[symbol] = true
      end
    end
  end
  return refused
end

--- The symbols of the hunks that were reported as not applied, and how many there are of each.
---@private
---@param folder string
---@return table<string, integer>
function M._waiting(folder)
  local waiting = {}
  if vim.fn.isdirectory(folder) == 0 then
    return waiting
  end
  for name in vim.fs.dir(folder) do
    -- The others are locks.
    local lines = vim.endswith(name, '.json') and vim.fn.readfile(folder .. '/' .. name)
    local kept = lines and vim.json.decode(lines[2]) or { hunks = {} }
    for _, hunk in ipairs(kept.hunks) do
      if hunk.state.pending then
        waiting[hunk.symbol] = (waiting[hunk.symbol] or 0) + 1
      end
    end
  end
  return waiting
end

--- Says who has won, and what is wrong.
---@private
---@param race farthing.Race
---@param rounds integer
---@param editor string
---@param text string
---@param asked integer?
---@return boolean
function M._judge(race, rounds, editor, text, asked)
  local function count(part)
    local _, times = text:gsub(vim.pesc(part), '')
    return times
  end
  local ends = M._ends(race.state .. '/farthing/runs')
  local waiting = M._waiting(race.state .. '/farthing/hunks')
  local refused = M._refused(race.state .. '/farthing/runs')
  local landed, reported, wrong = 0, 0, {}
  for number = 1, rounds do
    local new = count(('step_%d(1);'):format(number))
    local old = count(('step_%d(0);'):format(number))
    local told = waiting['f' .. number] or 0
    if new == 1 and old == 0 and told == 0 then
      landed = landed + 1
    elseif new == 0 and old == 1 and (told == 1) ~= (refused['f' .. number] or false) then
      reported = reported + 1
    else
      wrong[#wrong + 1] = ('f%d: %d new, %d old, %d waiting'):format(number, new, old, told)
    end
  end
  if #ends ~= rounds then
    wrong[#wrong + 1] = ('%d of %d runs have ended'):format(#ends, rounds)
  end
  for number = 1, race.typed do
    local times = count(race.line(number))
    if times ~= 1 then
      wrong[#wrong + 1] = ('what was typed as number %d is there %d times'):format(number, times)
    end
  end
  io.stdout:write(
    ('%s: %d races, %s%d lines typed: %d landed once, %d reported, %d wrong\n'):format(
      editor,
      rounds,
      asked and ('%d edits asked for, '):format(asked) or '',
      race.typed,
      landed,
      reported,
      #wrong
    )
  )
  for _, what in ipairs(wrong) do
    io.stdout:write(what .. '\n')
  end
  return #wrong == 0 and landed > 0
end

return M
