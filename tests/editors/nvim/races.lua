-- Races with a real Neovim: a user types while edits arrive, and at the very moment when Neovim is asked for one. Each
-- edit lands once or is reported, and what was typed is all there.
--
--   nvim --clean -l tests/editors/nvim/races.lua [ROUNDS]
--
-- FARTHING_SERVER names the server; target/debug/farthing
-- when unset.

local here = vim.fs.dirname(vim.fs.normalize(vim.uv.fs_realpath(arg[0])))
package.path = ('%s/?.lua;%s'):format(vim.fs.dirname(here), package.path)
local races = require('races')

local rounds = tonumber(arg[1]) or 50
local at_once = 3
local race = races.prepare(rounds)

vim.cmd.edit(race.file)
vim.bo.filetype = 'rust'
local buffer = vim.api.nvim_get_current_buf()

--- Types a line of its own somewhere, perhaps into the very function that a run is about to change.
local function type_something()
  race.typed = race.typed + 1
  local line = math.random(0, vim.api.nvim_buf_line_count(buffer) - 1)
  vim.api.nvim_buf_set_lines(buffer, line, line, true, { race.line(race.typed) })
end

-- The worst moments: when Neovim is about to look at an edit, and right after it has made it.
local asked = 0
local apply = vim.lsp.util.apply_workspace_edit
---@diagnostic disable-next-line: duplicate-set-field
vim.lsp.util.apply_workspace_edit = function(...)
  asked = asked + 1
  if math.random(3) == 1 then
    type_something()
  end
  local result = apply(...)
  if math.random(3) == 1 then
    type_something()
  end
  return result
end

local client_id = assert(vim.lsp.start({
  name = 'farthing',
  cmd = { race.server, 'serve' },
  root_dir = race.workspace,
}))
local client = assert(vim.lsp.get_client_by_id(client_id))
races.await('the server', function()
  return client.initialized == true
end)

---@param command string
---@param argument table
---@return table
local function execute(command, argument)
  local answer ---@type { err: any, result: any }?
  local params = { command = command, arguments = { argument } }
  local function heard(err, result)
    answer = { err = err, result = result }
  end
  if vim.fn.has('nvim-0.11') == 1 then
    client:request('workspace/executeCommand', params, heard, buffer)
  else
    ---@diagnostic disable-next-line: param-type-mismatch
    client.request('workspace/executeCommand', params, heard, buffer)
  end
  races.await('the answer to ' .. command, function()
    return answer ~= nil
  end)
  return assert(answer).result or error(vim.inspect(assert(answer).err))
end

local uri = vim.uri_from_bufnr(buffer)
local began = 0
while race.ended() < rounds do
  while began < rounds and began - race.ended() < at_once do
    began = began + 1
    local launch = { action = 'simplify', symbol = 'f' .. began }
    local answer = execute('farthing.run', { uri = uri, launch = launch })
    assert(answer.run, ('f%d was not launched: %s'):format(began, vim.inspect(answer)))
  end
  -- Bursts and pauses, some of them as long as it takes until an edit is sent.
  races.pass(math.random(0, 450))
  for _ = 1, math.random(0, 3) do
    type_something()
  end
end
-- What has landed last is told a moment later.
races.pass(1500)

local version = (vim.version --[[@as fun(): vim.Version ]])()
local name = ('Neovim %d.%d.%d'):format(version.major, version.minor, version.patch)
local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, true), '\n')
local ok = race.judge(name, text, asked)
race.finish()
os.exit(ok and 0 or 1)
