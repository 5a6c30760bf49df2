local support = require('support')

---@param server farthing.test.Server
---@param token string
---@param title string
local function begin(server, token, title)
  server.send('$/progress', {
    token = token,
    value = { kind = 'begin', title = title, message = '$0.000', cancellable = true },
  })
end

---@param server farthing.test.Server
local function tokens_cancelled(server)
  return vim.tbl_map(function(params)
    return params.token
  end, support.received(server, 'window/workDoneProgress/cancel'))
end

local function offer_undo_run(params)
  local run = params.context.diagnostics[1].data.run
  return {
    {
      title = 'Undo run',
      command = { title = '', command = 'farthing.run.undo', arguments = { { run = run } } },
    },
  }
end

return {
  ['the command line completes subcommands'] = function()
    support.equal(
      vim.fn.getcompletion('Farthing ', 'cmdline'),
      { 'cancel', 'cost', 'hunks', 'keep-file', 'log', 'restart', 'undo-run' }
    )
    support.equal(vim.fn.getcompletion('Farthing c', 'cmdline'), { 'cancel', 'cost' })
  end,

  ['an unknown subcommand names those that exist'] = function()
    local said = support.listen()
    vim.cmd.Farthing('explode')
    support.equal(said, {
      'farthing: no subcommand explode; there are '
        .. 'cancel, cost, hunks, keep-file, log, restart, undo-run',
    })
  end,

  ['without a server each subcommand says what is missing'] = function()
    local said = support.listen()
    for _, name in ipairs({ 'cancel', 'cost', 'hunks', 'keep-file', 'undo-run' }) do
      vim.cmd.Farthing(name)
    end
    support.equal(said, {
      'farthing: nothing is running',
      'farthing: no server is running; :checkhealth farthing says why',
      'farthing: no hunk waits',
      'farthing: no hunk waits in this buffer',
      'farthing: no server is running; :checkhealth farthing says why',
    })
  end,

  ['cancel stops the only run'] = function()
    local server = support.server()
    support.open(server)
    begin(server, 't1', 'Speed up one')
    vim.cmd.Farthing('cancel')
    support.equal(tokens_cancelled(server), { 't1' })
  end,

  ['cancel asks which of several runs, and leaves other work alone'] = function()
    local server = support.server()
    support.open(server)
    begin(server, 't1', 'Speed up one')
    begin(server, 't2', 'Test two')
    server.send('$/progress', { token = 'index', value = { kind = 'begin', title = 'Indexing' } })
    local asked = support.choose(2)
    vim.cmd.Farthing('cancel')
    support.equal(asked.items, { 'Speed up one ($0.000)', 'Test two ($0.000)' })
    support.equal(tokens_cancelled(server), { 't2' })
  end,

  ['cancel with a bang stops them all'] = function()
    local server = support.server()
    support.open(server)
    begin(server, 't1', 'Speed up one')
    begin(server, 't2', 'Test two')
    vim.cmd('Farthing! cancel')
    support.equal(tokens_cancelled(server), { 't1', 't2' })
  end,

  ['cost shows the report that the server returns'] = function()
    local server = support.server({
      ['workspace/executeCommand'] = { markdown = '# Today\n\n$0.021 in 3 runs' },
    })
    support.open(server)
    vim.cmd.Farthing('cost')
    support.wait(function()
      return #vim.api.nvim_list_wins() == 2
    end, 'the float')
    local window = vim.api.nvim_list_wins()[2]
    local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false)
    assert(vim.tbl_contains(lines, '$0.021 in 3 runs'), vim.inspect(lines))
    support.equal(
      support.await(server, 'workspace/executeCommand'),
      { command = 'farthing.cost', arguments = {} }
    )
  end,

  ['hunks lists those of every buffer'] = function()
    local server = support.server()
    local bufnr = support.open(server)
    support.publish(server, bufnr, { { 2, 0, run = 'r1', message = 'second' }, { 1, 0 } })
    vim.cmd.Farthing('hunks')
    local list = vim.fn.getqflist({ items = 0, title = 0 })
    support.equal(list.title, 'Hunks')
    support.equal(#list.items, 1)
    support.equal({ list.items[1].lnum, list.items[1].text }, { 3, 'second' })
  end,

  ['keep-file asks the server for its own command'] = function()
    local server = support.server({
      ['textDocument/codeAction'] = {
        {
          title = 'Keep all in file',
          command = { title = '', command = 'farthing.hunk.keepFile', arguments = { 'a' } },
        },
      },
    })
    local bufnr = support.open(server)
    support.publish(server, bufnr, { { 0, 0, run = 'r1' } })
    vim.cmd.Farthing('keep-file')
    support.equal(
      support.await(server, 'workspace/executeCommand'),
      { command = 'farthing.hunk.keepFile', arguments = { 'a' } }
    )
  end,

  ['undo-run takes back the only run with hunks'] = function()
    local server = support.server({ ['textDocument/codeAction'] = offer_undo_run })
    local bufnr = support.open(server)
    support.publish(server, bufnr, { { 0, 0, run = 'r1' }, { 1, 0, run = 'r1', hunk = 2 } })
    vim.cmd.Farthing('undo-run')
    support.equal(support.await(server, 'workspace/executeCommand').arguments, { { run = 'r1' } })
  end,

  ['undo-run asks which of several runs'] = function()
    local server = support.server({ ['textDocument/codeAction'] = offer_undo_run })
    local bufnr = support.open(server)
    support.publish(server, bufnr, {
      { 0, 0, run = 'r1', message = 'Speed up one' },
      { 1, 0, run = 'r2', message = 'Test two' },
    })
    local asked = support.choose(2)
    vim.cmd.Farthing('undo-run')
    support.equal(asked.items, { 'Speed up one', 'Test two' })
    support.equal(support.await(server, 'workspace/executeCommand').arguments, { { run = 'r2' } })
  end,

  ['undo-run without hunks leaves the choice to the server'] = function()
    local server = support.server()
    support.open(server)
    vim.cmd.Farthing('undo-run')
    support.equal(
      support.await(server, 'workspace/executeCommand'),
      { command = 'farthing.run.undo', arguments = {} }
    )
  end,

  ['a server without the command is not asked'] = function()
    local server = support.server()
    server.answers.initialize.capabilities.executeCommandProvider.commands = {}
    support.open(server)
    vim.cmd.Farthing('cost')
    support.equal(support.received(server, 'workspace/executeCommand'), {})
  end,

  ['restart replaces the server and keeps its buffers'] = function()
    local bufnr, client = support.open(support.server())
    vim.cmd.Farthing('restart')
    support.wait(function()
      local now = vim.lsp.get_clients({ bufnr = bufnr })
      return #now == 1 and now[1].id ~= client.id
    end, 'another server')
    assert(client:is_stopped())
  end,

  ['log opens the log at its end'] = function()
    vim.lsp.log.set_level('info')
    vim.lsp.log.info('a line')
    vim.cmd.Farthing('log')
    support.equal(vim.fn.expand('%:p'), vim.lsp.log.get_filename())
    support.equal(vim.fn.line('.'), vim.fn.line('$'))
  end,
}
