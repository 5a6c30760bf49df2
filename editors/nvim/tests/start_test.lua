local support = require('support')

-- Taken before any case runs: the runner itself requires a module between cases.
local loaded_at_start = vim.tbl_filter(function(name)
  return vim.startswith(name, 'farthing')
end, vim.tbl_keys(package.loaded))

return {
  ['nothing is required at start'] = function()
    support.equal(loaded_at_start, {})
    support.equal(vim.fn.exists(':Farthing'), 2)
    for _, name in ipairs({ 'next-hunk', 'previous-hunk', 'keep', 'undo' }) do
      local plug = ('<Plug>(farthing-%s)'):format(name)
      assert(vim.fn.maparg(plug, 'n') ~= '', plug)
    end
  end,

  ['a second load changes nothing'] = function()
    vim.cmd('runtime plugin/farthing.lua')
    support.equal(#vim.api.nvim_get_autocmds({ group = 'farthing', event = 'LspProgress' }), 1)
  end,

  ['the client says what it shows, and the settings travel with it'] = function()
    local server = support.server()
    support.open(server)
    local initialize = support.await(server, 'initialize')
    support.equal(initialize.initializationOptions, {
      spending = true,
      reports = true,
      hover = { enable = true },
      codeLens = { enable = true },
      diagnostics = { enable = true },
    })
    local dir = vim.fs.dirname(vim.api.nvim_buf_get_name(0))
    support.equal(initialize.rootUri, vim.uri_from_fname(dir))
    local changed = support.await(server, 'workspace/didChangeConfiguration')
    support.equal(changed.settings.farthing.hover.enable, true)
  end,

  ["the user's settings and options come before the shipped ones"] = function()
    local server = support.server()
    support.open(server, {
      settings = { farthing = { hover = { enable = false } } },
      init_options = { spending = false },
    })
    local options = support.await(server, 'initialize').initializationOptions
    support.equal(options.hover.enable, false)
    support.equal(options.spending, false)
    support.equal(options.reports, true)
  end,

  ['the workspace is the repository, not the package inside it'] = function()
    local dir = vim.fs.normalize(vim.fn.tempname())
    vim.fn.mkdir(dir .. '/.git', 'p')
    vim.fn.mkdir(dir .. '/inner', 'p')
    vim.fn.writefile({}, dir .. '/inner/Cargo.toml')
    ---@diagnostic disable-next-line: undefined-field
    local root = vim.fs.root(dir .. '/inner/lib.rs', vim.lsp.config.farthing.root_markers)
    support.equal(root, dir)
  end,

  ['code lenses are shown unless the user says no'] = function()
    for _, wanted in ipairs({ true, false }) do
      vim.g.farthing = { code_lens = wanted }
      require('farthing.config').reset()
      local bufnr = support.open(support.server())
      support.equal(vim.lsp.codelens.is_enabled({ bufnr = bufnr }), wanted)
    end
  end,

  ['every subcommand, map and option has its place in the help'] = function()
    local file = vim.api.nvim_get_runtime_file('doc/farthing.txt', false)[1]
    local text = table.concat(vim.fn.readfile(file), '\n')
    local want = { 'farthing.status()', 'farthing.spending()', 'farthing.jump()' }
    for _, name in ipairs(require('farthing.commands').complete('')) do
      want[#want + 1] = ':Farthing-' .. name
    end
    for _, name in ipairs({ 'next-hunk', 'previous-hunk', 'keep', 'undo' }) do
      want[#want + 1] = ('<Plug>(farthing-%s)'):format(name)
    end
    for name in pairs(require('farthing.config').resolve(nil)) do
      want[#want + 1] = 'farthing-config-' .. name
    end
    for _, tag in ipairs(want) do
      assert(text:find('*' .. tag .. '*', 1, true), tag .. ' is not in the help')
    end
  end,

  ['the help has no tag twice'] = function()
    local dir = vim.fn.tempname()
    vim.fn.mkdir(dir, 'p')
    local file = vim.api.nvim_get_runtime_file('doc/farthing.txt', false)[1]
    vim.fn.writefile(vim.fn.readfile(file), dir .. '/farthing.txt')
    vim.cmd.helptags(dir)
  end,
}
