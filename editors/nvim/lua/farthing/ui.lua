-- What the user sees: code lenses, the status, reports. It follows the server and decides nothing.

local M = {}

--- What is known of one server.
---@class farthing.State
---@field progress farthing.Progress[] In order of their start.
---@field spending? farthing.Spending

---@type table<integer, farthing.State?>
local states = {}

---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  local config = require('farthing.config').get()
  if
    config.code_lens
    and vim.lsp.codelens.enable
    and client:supports_method('textDocument/codeLens')
  then
    -- Without a buffer, Neovim 0.12 shows only the lenses of the server that attached last.
    vim.lsp.codelens.enable(true, { bufnr = bufnr })
  end
  if config.inlay_hints and client:supports_method('textDocument/inlayHint') then
    vim.lsp.inlay_hint.enable(true, { bufnr = bufnr })
  end
end

--- `$/progress`.
---@param client_id integer
---@param params lsp.ProgressParams
function M.on_progress(client_id, params)
  local value = params.value
  if type(value) ~= 'table' then
    return
  end
  local text = require('farthing.protocol').text
  local running = M._state(client_id).progress
  local at ---@type integer?
  for index, progress in ipairs(running) do
    if progress.token == params.token then
      at = index
    end
  end
  if value.kind == 'end' then
    if at then
      table.remove(running, at)
    end
  elseif at then
    running[at].message = text(value.message) or running[at].message
  else
    running[#running + 1] = {
      token = params.token,
      title = text(value.title) or '',
      message = text(value.message) or '',
      cancellable = value.cancellable == true,
    }
  end
  M._changed()
end

--- `farthing/spending`.
---@param client_id integer
---@param params any
function M.on_spending(client_id, params)
  local spending = require('farthing.protocol').parse_spending(params)
  if spending then
    M._state(client_id).spending = spending
    M._changed()
  end
end

--- One line for a status line; empty where no server runs and nothing is known.
---@return string
function M.status()
  local running = {} ---@type farthing.Progress[]
  local spending ---@type farthing.Spending?
  for _, state in ipairs(M.states()) do
    vim.list_extend(running, state.progress)
    -- Every server reads the same ledger; the highest figure is the newest.
    local known = state.spending
    if known and (not spending or known.todayPicodollars >= spending.todayPicodollars) then
      spending = known
    end
  end
  return M.render(running, spending, require('farthing.config').get().status)
end

---@param running farthing.Progress[]
---@param spending? farthing.Spending
---@param config farthing.ResolvedStatusConfig
---@return string
function M.render(running, spending, config)
  local parts = {} ---@type string[]
  if #running > 1 then
    parts[1] = ('%d running'):format(#running)
  end
  if #running > 0 then
    local newest = running[#running]
    parts[#parts + 1] = M._cut(newest.title, config.title_width)
    parts[#parts + 1] = newest.message
  end
  if spending and config.spending then
    local limit = spending.limitDay and (' of ' .. spending.limitDay) or ''
    parts[#parts + 1] = ('%s%s today'):format(spending.today, limit)
    if spending.exhausted then
      parts[#parts + 1] = 'budget used up'
    end
  end
  parts = vim.tbl_filter(function(part)
    return part ~= ''
  end, parts)
  -- Titles hold the user's own names, and a status line has one line.
  return (table.concat(parts, ' · '):gsub('%c+', ' '))
end

--- The states of the servers that are alive.
---@return farthing.State[]
function M.states()
  local alive = {} ---@type table<integer, farthing.State?>
  local list = {} ---@type farthing.State[]
  for _, client in ipairs(require('farthing.protocol').clients()) do
    local state = states[client.id]
    alive[client.id] = state
    list[#list + 1] = state
  end
  states = alive
  return list
end

--- What runs and can be cancelled.
---@return { client: vim.lsp.Client, progress: farthing.Progress }[]
function M.cancellable()
  local list = {}
  for _, client in ipairs(require('farthing.protocol').clients()) do
    for _, progress in ipairs((states[client.id] or { progress = {} }).progress) do
      if progress.cancellable then
        list[#list + 1] = { client = client, progress = progress }
      end
    end
  end
  return list
end

--- Shows Markdown in a float that closes on the next movement.
---@param markdown string
function M.report(markdown)
  local lines = vim.split(vim.trim(markdown), '\n')
  vim.lsp.util.open_floating_preview(lines, 'markdown', { focus_id = 'farthing-report' })
end

---@private
---@param client_id integer
---@return farthing.State
function M._state(client_id)
  local state = states[client_id] or { progress = {} }
  states[client_id] = state
  return state
end

---@private
function M._changed()
  vim.api.nvim_exec_autocmds('User', { pattern = 'FarthingStatus', modeline = false })
end

---@private
---@param text string
---@param width integer
---@return string
function M._cut(text, width)
  if vim.fn.strdisplaywidth(text) <= width then
    return text
  end
  local cut = vim.fn.strcharpart(text, 0, width - 1)
  while cut ~= '' and vim.fn.strdisplaywidth(cut) > width - 1 do
    cut = vim.fn.strcharpart(cut, 0, vim.fn.strchars(cut) - 1)
  end
  return cut .. '…'
end

return M
