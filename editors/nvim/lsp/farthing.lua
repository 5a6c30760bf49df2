-- The server as Neovim's own client starts it: `vim.lsp.enable('farthing')`.
-- What you set with `vim.lsp.config('farthing', { … })` goes on top of this.

---@type vim.lsp.Config
return {
  cmd = { 'farthing', 'serve' },
  filetypes = {
    'bash',
    'c',
    'cpp',
    'cs',
    'css',
    'cuda',
    'elixir',
    'go',
    'haskell',
    'html',
    'htmldjango',
    'java',
    'javascript',
    'javascriptreact',
    'json',
    'jsonc',
    'kotlin',
    'lua',
    'markdown',
    'ocaml',
    'ocamlinterface',
    'php',
    'python',
    'ruby',
    'rust',
    'scala',
    'sh',
    'sql',
    'swift',
    'toml',
    'typescript',
    'typescriptreact',
    'yaml',
    'zig',
  },
  -- The index covers a whole workspace, so the repository comes before the package inside it.
  root_markers = {
    'farthing.toml',
    '.git',
    { 'Cargo.toml', 'go.mod', 'package.json', 'pyproject.toml' },
  },
  -- This plugin shows what was spent, and a report that a command returns.
  init_options = { spending = true, reports = true },
  settings = {
    farthing = {
      hover = { enable = true },
      codeLens = { enable = true },
      diagnostics = { enable = true },
    },
  },
  -- The server cannot ask for settings before it is initialised, so they travel in both places.
  before_init = function(params, config)
    local settings = vim.tbl_get(config, 'settings', 'farthing') or {} ---@type table
    local options = config.init_options or {} ---@type table
    params.initializationOptions = vim.tbl_deep_extend('force', settings, options)
  end,
  handlers = {
    ['farthing/spending'] = function(_, params, context)
      require('farthing.ui').on_spending(context.client_id, params)
    end,
  },
}
