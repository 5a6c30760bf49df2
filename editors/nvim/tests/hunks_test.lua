local farthing = require('farthing')
local support = require('support')

--- Three hunks of two runs, and a finding between them.
---@param server farthing.test.Server
---@param bufnr integer
local function publish(server, bufnr)
  support.publish(server, bufnr, {
    { 2, 0, run = 'r2', hunk = 1 },
    { 1, 0 },
    { 0, 3, run = 'r1', hunk = 2 },
    { 0, 0, run = 'r1', hunk = 1 },
  })
end

--- Offers these commands for whatever is asked about.
---@param commands string[]
local function offer(commands)
  return function(params)
    return vim.tbl_map(function(name)
      return {
        title = name,
        kind = 'quickfix',
        command = {
          title = name,
          command = name,
          arguments = { params.context.diagnostics[1].data },
        },
      }
    end, commands)
  end
end

return {
  ['jumping goes from hunk to hunk, past findings and around the end'] = function()
    local server = support.server()
    local bufnr = support.open(server)
    publish(server, bufnr)
    local seen = {}
    for _, count in ipairs({ 1, 1, 1, -1, -1, 2 }) do
      farthing.jump(count)
      seen[#seen + 1] = vim.api.nvim_win_get_cursor(0)
    end
    support.equal(seen, { { 1, 3 }, { 3, 0 }, { 1, 0 }, { 3, 0 }, { 1, 3 }, { 1, 0 } })
  end,

  ['jumping from between two hunks takes the nearer one on each side'] = function()
    local server = support.server()
    local bufnr = support.open(server)
    publish(server, bufnr)
    vim.api.nvim_win_set_cursor(0, { 2, 5 })
    farthing.jump(1)
    support.equal(vim.api.nvim_win_get_cursor(0), { 3, 0 })
    vim.api.nvim_win_set_cursor(0, { 2, 5 })
    farthing.jump(-1)
    support.equal(vim.api.nvim_win_get_cursor(0), { 1, 3 })
  end,

  ['the maps jump too, with a count'] = function()
    local server = support.server()
    local bufnr = support.open(server)
    publish(server, bufnr)
    vim.cmd.normal({ vim.keycode('2<Plug>(farthing-next-hunk)') })
    support.equal(vim.api.nvim_win_get_cursor(0), { 3, 0 })
    vim.cmd.normal({ vim.keycode('<Plug>(farthing-previous-hunk)') })
    support.equal(vim.api.nvim_win_get_cursor(0), { 1, 3 })
  end,

  ['a jump shows what the hunk says, unless the user says no'] = function()
    local server = support.server()
    local bufnr = support.open(server)
    support.publish(server, bufnr, { { 1, 0, run = 'r1', message = 'Use an iterator ($0.004)' } })
    farthing.jump(1)
    support.equal(#vim.api.nvim_list_wins(), 2)
    local text = vim.api.nvim_buf_get_lines(
      vim.api.nvim_win_get_buf(vim.api.nvim_list_wins()[2]),
      0,
      -1,
      false
    )
    assert(table.concat(text, '\n'):find('Use an iterator ($0.004)', 1, true), vim.inspect(text))
  end,

  ['a buffer without hunks says so'] = function()
    local server = support.server()
    local bufnr = support.open(server)
    support.publish(server, bufnr, { { 1, 0 } })
    local said = support.listen()
    farthing.jump(1)
    farthing.keep()
    support.equal(said, {
      'farthing: no hunk waits in this buffer',
      'farthing: no hunk under the cursor; <Plug>(farthing-next-hunk) goes to one',
    })
  end,

  ['keeping runs the command that the server offers for this hunk'] = function()
    local server = support.server({
      ['textDocument/codeAction'] = offer({ 'farthing.hunk.undo', 'farthing.hunk.keep' }),
    })
    local bufnr = support.open(server)
    publish(server, bufnr)
    vim.api.nvim_win_set_cursor(0, { 3, 4 })
    farthing.keep()
    local params = support.await(server, 'workspace/executeCommand')
    support.equal(params, {
      command = 'farthing.hunk.keep',
      arguments = { { run = 'r2', hunk = 1 } },
    })
    local asked = support.await(server, 'textDocument/codeAction')
    support.equal(asked.context.only, { 'quickfix' })
    support.equal(asked.context.diagnostics[1].code, 'hunk')
  end,

  ['of several hunks in one line the one under the cursor is meant'] = function()
    local function keep(hunk)
      return { title = 'Keep', command = 'farthing.hunk.keep', arguments = { { hunk = hunk } } }
    end
    for column, hunk in pairs({ [0] = 'h1', [5] = 'h1', [6] = 'h2', [7] = 'h2', [10] = 'h2' }) do
      local server = support.server({ ['textDocument/codeAction'] = { keep('h1'), keep('h2') } })
      local bufnr = support.open(server)
      local places = { { 0, 2, run = 'r', hunk = 'h1' }, { 0, 6, run = 'r', hunk = 'h2' } }
      support.publish(server, bufnr, places)
      vim.api.nvim_win_set_cursor(0, { 1, column })
      farthing.keep()
      local executed = support.await(server, 'workspace/executeCommand')
      support.equal({ column, executed.arguments }, { column, { { hunk = hunk } } })
    end
  end,

  ['undoing takes a bare command too'] = function()
    local server = support.server({
      ['textDocument/codeAction'] = {
        { title = 'Undo', command = 'farthing.hunk.undo', arguments = { 7 } },
      },
    })
    local bufnr = support.open(server)
    publish(server, bufnr)
    farthing.undo()
    support.equal(
      support.await(server, 'workspace/executeCommand'),
      { command = 'farthing.hunk.undo', arguments = { 7 } }
    )
  end,

  ['what the server no longer offers is not done'] = function()
    local server = support.server({ ['textDocument/codeAction'] = {} })
    local bufnr = support.open(server)
    publish(server, bufnr)
    local said = support.listen()
    farthing.keep()
    support.wait(function()
      return #said > 0
    end, 'the message')
    support.equal(said, {
      'farthing: farthing.hunk.keep is not offered here: the hunk has changed since it was shown',
    })
    support.equal(support.received(server, 'workspace/executeCommand'), {})
  end,
}
