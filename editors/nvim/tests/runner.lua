-- Runs one file of tests inside Neovim and says how each case went. A test file returns a table of
-- functions; what a case leaves behind is cleared before the next.

local here = vim.fs.dirname(vim.g.test_file)
package.path = here .. '/?.lua;' .. package.path

local function clear()
  vim.lsp.enable('farthing', false)
  for _, client in ipairs(vim.lsp.get_clients()) do
    client:stop(true)
  end
  assert(vim.wait(2000, function()
    return #vim.lsp.get_clients() == 0
  end, 5))
  vim.cmd('silent! %bwipeout!')
  vim.fn.setqflist({}, 'r', { items = {} })
  vim.g.farthing = nil
  require('farthing.config').reset()
end

---@param line string
local function report(line)
  vim.fn.writefile(vim.split(line, '\n'), vim.g.test_report, 'a')
end

local file = vim.fs.basename(vim.g.test_file)
local ok, cases = xpcall(dofile, debug.traceback, vim.g.test_file)
local failed = not ok
if not ok then
  report(('FAIL %s\n%s'):format(file, cases))
  cases = {}
end
local notify = vim.notify
for name, case in vim.spairs(cases) do
  vim.v.errmsg = ''
  local passed, why = xpcall(case, debug.traceback)
  vim.notify = notify
  clear()
  -- An error in a callback reaches nobody else.
  if passed and vim.v.errmsg ~= '' then
    passed, why = false, vim.v.errmsg
  end
  report(
    passed and ('ok   %s: %s'):format(file, name) or ('FAIL %s: %s\n%s'):format(file, name, why)
  )
  failed = failed or not passed
end
vim.cmd(failed and 'cquit!' or 'qall!')
