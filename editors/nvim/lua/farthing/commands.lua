-- `:Farthing {subcommand}`.

local M = {}

---@class farthing.Subcommand
---@field name string
---@field run fun(bang: boolean)

---@type farthing.Subcommand[]
local subcommands = {}

--- Does what `:Farthing {name}` asks for.
---@param name string
---@param bang boolean
function M.run(name, bang)
  local protocol = require('farthing.protocol')
  if vim.fn.has('nvim-0.11') == 0 then
    protocol.say('Neovim 0.11 or newer is needed', vim.log.levels.ERROR)
    return
  end
  for _, subcommand in ipairs(subcommands) do
    if subcommand.name == name then
      subcommand.run(bang)
      return
    end
  end
  local known = table.concat(M.complete(''), ', ')
  protocol.say(('no subcommand %s; there are %s'):format(name, known), vim.log.levels.ERROR)
end

---@param lead string what is typed so far
---@return string[]
function M.complete(lead)
  local names = {} ---@type string[]
  for _, subcommand in ipairs(subcommands) do
    if vim.startswith(subcommand.name, lead) then
      names[#names + 1] = subcommand.name
    end
  end
  return names
end

--- Stops a run; with a bang, all of them. What it has spent stays in the ledger.
---@param bang boolean
local function cancel(bang)
  local protocol = require('farthing.protocol')
  local running = require('farthing.ui').cancellable()
  if #running == 0 then
    protocol.say('nothing is running')
    return
  end
  if bang or #running == 1 then
    for _, run in ipairs(running) do
      protocol.cancel(run.client, run.progress.token)
    end
    return
  end
  vim.ui.select(running, {
    prompt = 'Cancel:',
    format_item = function(run)
      return ('%s (%s)'):format(run.progress.title, run.progress.message)
    end,
  }, function(run)
    if run then
      protocol.cancel(run.client, run.progress.token)
    end
  end)
end

--- Shows the server's report of what was spent.
local function cost()
  local protocol = require('farthing.protocol')
  local client = M._client()
  if client then
    protocol.execute(client, protocol.command.cost, {}, nil, function(result)
      -- A server that shows its report itself answers with something else.
      if type(result) == 'table' and type(result.markdown) == 'string' then
        require('farthing.ui').report(result.markdown)
      end
    end)
  end
end

--- Lists the hunks of every buffer in the quickfix window.
local function hunks()
  local protocol = require('farthing.protocol')
  local diagnostics = vim.tbl_map(function(hunk)
    return hunk.diagnostic
  end, protocol.hunks())
  if #diagnostics == 0 then
    protocol.say('no hunk waits')
    return
  end
  vim.fn.setqflist({}, ' ', { title = 'Hunks', items = vim.diagnostic.toqflist(diagnostics) })
  vim.cmd('botright copen')
end

--- Keeps every hunk of this buffer.
local function keep_file()
  local protocol = require('farthing.protocol')
  local waiting = protocol.hunks(vim.api.nvim_get_current_buf())
  if #waiting > 0 then
    protocol.act_on(waiting[1], protocol.command.keep_file)
  else
    protocol.say('no hunk waits in this buffer')
  end
end

--- Opens the log of Neovim's language clients, which holds what the server wrote to it.
local function log()
  vim.cmd.tabedit(vim.fn.fnameescape(vim.lsp.log.get_filename()))
  vim.cmd.normal({ 'G', bang = true })
end

--- Starts the server anew, or for the first time.
local function restart()
  local protocol = require('farthing.protocol')
  local clients = protocol.clients()
  if #clients == 0 then
    vim.lsp.enable(protocol.server)
  end
  for _, client in ipairs(clients) do
    vim.api.nvim_create_autocmd('LspDetach', {
      desc = 'Farthing: start again once the old server has gone',
      callback = function(event)
        if event.data.client_id ~= client.id then
          return
        end
        vim.schedule(function()
          vim.lsp.enable(protocol.server)
        end)
        return true
      end,
    })
    client:stop()
  end
end

--- Takes back a whole run: the only one whose hunks wait, the one chosen, or the one that goes on.
local function undo_run()
  local protocol = require('farthing.protocol')
  local first = {} ---@type table<any, farthing.Hunk>
  local runs = {} ---@type any[]
  for _, hunk in ipairs(protocol.hunks()) do
    if not first[hunk.run] then
      first[hunk.run] = hunk
      runs[#runs + 1] = hunk.run
    end
  end
  if #runs == 0 then
    local client = M._client()
    if client then
      protocol.execute(client, protocol.command.undo_run, {})
    end
  elseif #runs == 1 then
    protocol.act_on(first[runs[1]], protocol.command.undo_run)
  else
    vim.ui.select(runs, {
      prompt = 'Undo:',
      format_item = function(run)
        return first[run].diagnostic.message
      end,
    }, function(run)
      if run then
        protocol.act_on(first[run], protocol.command.undo_run)
      end
    end)
  end
end

subcommands = {
  { name = 'cancel', run = cancel },
  { name = 'cost', run = cost },
  { name = 'hunks', run = hunks },
  { name = 'keep-file', run = keep_file },
  { name = 'log', run = log },
  { name = 'restart', run = restart },
  { name = 'undo-run', run = undo_run },
}

--- The server of this buffer, or any; says so if there is none.
---@private
---@return vim.lsp.Client?
function M._client()
  local protocol = require('farthing.protocol')
  local client = protocol.clients(vim.api.nvim_get_current_buf())[1] or protocol.clients()[1]
  if not client then
    protocol.say('no server is running; :checkhealth farthing says why', vim.log.levels.WARN)
  end
  return client
end

return M
