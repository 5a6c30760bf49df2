local health = require('farthing.health')
local support = require('support')

--- A program that answers as the server's command line does.
---@param doctor string what `doctor --json` writes
---@param code? integer what it ends with
---@return string path
local function program(doctor, code)
  local path = vim.fn.tempname()
  vim.fn.writefile({
    '#!/bin/sh',
    "[ $1 = doctor ] || { echo 'farthing 9.8.7'; exit; }",
    "cat <<'JSON'",
    doctor,
    'JSON',
    ('exit %d'):format(code or 0),
  }, path)
  vim.uv.fs_chmod(path, 493)
  return path
end

---@param path string
---@return string report
local function checkhealth(path)
  vim.lsp.config('farthing', { cmd = { path, 'serve' } })
  vim.cmd('silent checkhealth farthing')
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
end

---@param report string
---@param parts string[]
local function check_contains(report, parts)
  for _, part in ipairs(parts) do
    assert(report:find(part, 1, true), ('no "%s" in\n%s'):format(part, report))
  end
end

return {
  ['a missing program is an error that names the way out'] = function()
    check_contains(checkhealth('/nowhere/farthing'), {
      'ERROR /nowhere/farthing is not executable',
      "vim.lsp.config('farthing', { cmd = { '/path/to/farthing', 'serve' } })",
      'WARNING no server is running',
    })
  end,

  ['what doctor finds is shown as it says it'] = function()
    local path = program(
      vim.json.encode({
        checks = {
          { name = 'provider', ok = false, found = 'no model', what_to_do = 'Set a key' },
          { name = 'ledger', ok = true, found = 'readable' },
          { name = 'budget', ok = false, found = 'none' },
          { name = 'of the future', ok = 'perhaps', found = 'unknown' },
        },
      }),
      1
    )
    check_contains(checkhealth(path), {
      'OK farthing 9.8.7 (' .. path .. ')',
      'ERROR provider: no model\n  - ADVICE:\n    - Set a key',
      'OK ledger: readable',
      'ERROR budget: none\n',
      'ERROR of the future: unknown',
    })
  end,

  ['an answer that is not understood is a warning'] = function()
    for _, answer in ipairs({ 'Farthing is well', '{}', '{"checks": [{"name": 1}]}', '' }) do
      check_contains(checkhealth(program(answer, 2)), { 'WARNING `' })
      support.equal(health.parse_doctor(answer), nil)
    end
  end,

  ['a wrong configuration is shown'] = function()
    vim.g.farthing = { statsu = {} }
    check_contains(
      checkhealth('/nowhere/farthing'),
      { 'ERROR vim.g.farthing.statsu: no such option' }
    )
  end,

  ['a running server is shown with its workspace'] = function()
    local server = support.server()
    support.open(server)
    local root = vim.lsp.get_clients()[1].root_dir
    vim.cmd('silent checkhealth farthing')
    local report = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
    check_contains(report, { ('running in %s, 1 buffers'):format(root), 'cmd is a function' })
  end,
}
