-- Races with a real Helix: a user types while edits arrive. Each edit lands once or is reported, and what was typed is
-- all there. Helix runs in a terminal of Neovim; what it holds is seen when it saves.
--
--   nvim --clean -l tests/editors/helix/races.lua [ROUNDS]
--
-- FARTHING_SERVER names the server; target/debug/farthing when unset.

local here = vim.fs.dirname(vim.fs.normalize(vim.uv.fs_realpath(arg[0])))
local root = vim.fs.normalize(here .. '/../../..')
package.path = ('%s/?.lua;%s'):format(vim.fs.dirname(here), package.path)
local races = require('races')

local rounds = tonumber(arg[1]) or 50
local race = races.prepare(rounds)

vim.fn.mkdir(race.config .. '/helix', 'p')
vim.fn.writefile({
  '[editor.lsp]',
  'display-progress-messages = true',
  '[editor.workspace-trust]',
  'level = "servers"',
}, race.config .. '/helix/config.toml')
vim.fn.writefile({
  '[language-server.farthing]',
  'command = ' .. vim.json.encode(race.server),
  'args = ["serve"]',
  '[[language]]',
  'name = "rust"',
  'language-servers = ["farthing"]',
}, race.config .. '/helix/languages.toml')

vim.cmd.enew()
local program = root .. '/target/editors/bin/hx'
local editor = vim.fn.jobstart(
  { vim.env.HELIX_PROGRAM or program, race.file },
  { term = true, cwd = race.workspace }
)
assert(editor > 0, program .. ' does not start; tests/editors/install-nvim puts Helix there')

local function keys(text)
  vim.fn.chansend(editor, vim.keycode(text))
end

local function screen()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
end

local function shows(part)
  return screen():find(part, 1, true) ~= nil
end

--- Waits, and shows the screen if it is in vain.
local function await(what, condition)
  local held, why = pcall(races.await, what, condition)
  if not held then
    error(('%s\n%s'):format(why, screen()), 0)
  end
end

--- After Escape a terminal waits for a moment, lest a key that follows is taken for one with Alt.
local function escape()
  keys('<Esc>')
  races.pass(40)
end

await('Helix', function()
  return shows('fn f1(')
end)
-- The server has to be there before the first question.
await('the server', function()
  return vim.fn.isdirectory(race.state .. '/farthing/runs') == 1
end)

local function type_something()
  race.typed = race.typed + 1
  keys('ggO')
  -- As it is: what stands for a key in a map does so inside of characters too.
  vim.fn.chansend(editor, race.line(race.typed))
  escape()
end

for number = 1, rounds do
  escape()
  keys(('/fn f%d\\(<CR>'):format(number))
  await('the menu of f' .. number, function()
    keys(' a')
    races.pass(150)
    if shows(('Simplify `f%d`'):format(number)) then
      return true
    end
    escape()
    return false
  end)
  keys('<CR>')
  for _ = 1, math.random(1, 4) do
    races.pass(math.random(0, 250))
    type_something()
  end
  await('the end of f' .. number, function()
    return race.ended() >= number
  end)
end
races.pass(1500)
escape()
keys(':write!<CR>')
races.pass(500)

local ok = race.judge('Helix', table.concat(vim.fn.readfile(race.file), '\n'))
keys(':quit-all!<CR>')
if vim.fn.jobwait({ editor }, 5000)[1] == -1 then
  vim.fn.jobstop(editor)
end
race.finish()
os.exit(ok and 0 or 1)
