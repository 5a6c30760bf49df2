-- `:checkhealth farthing`: one line for each thing that a user can get wrong.

local M = {}

---@class farthing.Check One line of `farthing doctor --json`.
---@field name string
---@field ok boolean
---@field found string
---@field what_to_do? string

function M.check()
  local health = vim.health
  health.start('Neovim')
  if vim.fn.has('nvim-0.11') == 0 then
    health.error('Neovim 0.11 or newer is needed', { 'Install a newer Neovim' })
    return
  end
  health.ok(vim.split(vim.fn.execute('version'), '\n', { trimempty = true })[1])
  if not vim.lsp.codelens.enable then
    health.info('Code lenses need Neovim 0.12; everything else works')
  end
  M._check_configuration()

  health.start('Server')
  local cmd = M.command()
  if not cmd then
    health.warn('vim.lsp.config.farthing.cmd is a function; the server cannot be asked from here')
  elseif M._check_server(cmd) then
    M._check_doctor(cmd)
  end
  M._check_clients()
end

--- The server's program and arguments, as the user's configuration has them.
---@return string[]?
function M.command()
  ---@diagnostic disable-next-line: undefined-field -- a server's name is a key of this table
  local config = vim.lsp.config.farthing
  local cmd = config and config.cmd
  if type(cmd) == 'table' then
    return cmd
  elseif cmd == nil then
    return { 'farthing', 'serve' }
  end
end

---@private
function M._check_configuration()
  local _, problems = require('farthing.config').read()
  for _, problem in ipairs(problems) do
    vim.health.error(problem, { 'See :help farthing-config' })
  end
  if #problems == 0 then
    vim.health.ok('vim.g.farthing holds nothing wrong')
  end
end

---@private
---@param cmd string[]
---@return boolean found
function M._check_server(cmd)
  local program = cmd[1]
  if vim.fn.executable(program) == 0 then
    vim.health.error(('%s is not executable'):format(program), {
      'Put `farthing` on your PATH',
      "Or name it: vim.lsp.config('farthing', { cmd = { '/path/to/farthing', 'serve' } })",
    })
    return false
  end
  local result, reason = M._run({ program, '--version' })
  if not result then
    vim.health.error(('%s --version: %s'):format(program, reason))
    return false
  end
  vim.health.ok(('%s (%s)'):format(vim.trim(result), vim.fn.exepath(program)))
  return true
end

--- The server judges its own configuration, key and ledger; it never prints a key.
---@private
---@param cmd string[]
function M._check_doctor(cmd)
  local result, reason = M._run({ cmd[1], 'doctor', '--json' })
  local checks = result and M.parse_doctor(result)
  if not checks then
    local why = reason or 'an answer that is not understood'
    vim.health.warn(('`%s doctor --json`: %s'):format(cmd[1], why), { 'Run it in a shell' })
    return
  end
  for _, check in ipairs(checks) do
    local line = ('%s: %s'):format(check.name, check.found)
    if check.ok then
      vim.health.ok(line)
    elseif check.what_to_do then
      vim.health.error(line, check.what_to_do)
    else
      vim.health.error(line)
    end
  end
end

---@param text string
---@return farthing.Check[]?
function M.parse_doctor(text)
  local ok, answer = pcall(vim.json.decode, text)
  if not ok or type(answer) ~= 'table' or type(answer.checks) ~= 'table' then
    return nil
  end
  local checks = {} ---@type farthing.Check[]
  for _, check in ipairs(answer.checks) do
    local text_of = require('farthing.protocol').text
    local name, found = text_of(check.name), text_of(check.found)
    if not name or not found then
      return nil
    end
    checks[#checks + 1] = {
      name = name,
      found = found,
      ok = check.ok == true,
      what_to_do = text_of(check.what_to_do),
    }
  end
  return checks
end

--- Doctor exits with a failure when it finds one, so what it wrote counts, not how it ended.
---@private
---@param command string[]
---@return string? output
---@return string? reason
function M._run(command)
  local ok, process = pcall(vim.system, command, { text = true })
  if not ok then
    return nil, tostring(process)
  end
  local result = process:wait(5000)
  if result.stdout and vim.trim(result.stdout) ~= '' then
    return result.stdout
  elseif result.code == 124 then
    return nil, 'no answer within 5 seconds'
  end
  local first = vim.split(vim.trim(result.stderr or ''), '\n')[1]
  return nil, ('exit code %d %s'):format(result.code, first)
end

---@private
function M._check_clients()
  local clients = require('farthing.protocol').clients()
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_count(client.attached_buffers)
    local root = client.root_dir or 'no workspace'
    vim.health.ok(('running in %s, %d buffers'):format(root, buffers))
  end
  if #clients == 0 then
    vim.health.warn('no server is running', {
      "Put vim.lsp.enable('farthing') into your init.lua and open a file of a known language",
      ':Farthing log shows why a server did not start',
    })
  end
end

return M
