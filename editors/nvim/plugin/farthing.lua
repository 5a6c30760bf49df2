-- One command, four <Plug> maps, two listeners. Nothing is required before it is used.

if vim.g.loaded_farthing then
  return
end
vim.g.loaded_farthing = true

vim.api.nvim_create_user_command('Farthing', function(command)
  require('farthing.commands').run(command.args, command.bang)
end, {
  desc = 'Farthing: runs, hunks and what they cost',
  nargs = 1,
  bang = true,
  complete = function(lead)
    return require('farthing.commands').complete(lead)
  end,
})

---@param name string
---@param desc string
---@param action fun(farthing: farthing)
local function plug(name, desc, action)
  vim.keymap.set('n', ('<Plug>(farthing-%s)'):format(name), function()
    action(require('farthing'))
  end, { desc = desc })
end

plug('next-hunk', 'Next hunk', function(farthing)
  farthing.jump(vim.v.count1)
end)
plug('previous-hunk', 'Previous hunk', function(farthing)
  farthing.jump(-vim.v.count1)
end)
plug('keep', 'Keep the hunk under the cursor', function(farthing)
  farthing.keep()
end)
plug('undo', 'Undo the hunk under the cursor', function(farthing)
  farthing.undo()
end)

if vim.fn.has('nvim-0.11') == 0 then
  return
end

local group = vim.api.nvim_create_augroup('farthing', {})

vim.api.nvim_create_autocmd('LspAttach', {
  group = group,
  desc = 'Farthing: show code lenses',
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'farthing' then
      require('farthing.ui').attach(client, event.buf)
    end
  end,
})

vim.api.nvim_create_autocmd('LspProgress', {
  group = group,
  desc = 'Farthing: follow the runs',
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'farthing' then
      require('farthing.ui').on_progress(client.id, event.data.params)
    end
  end,
})
