-- What the server says beyond LSP, as docs/protocol.md describes it, and how it is asked.
-- Whatever arrives is checked first: the server may be older or newer than this plugin.

local M = {}

M.server = 'farthing'

--- The server's commands that this plugin sends.
M.command = {
  keep = 'farthing.hunk.keep',
  undo = 'farthing.hunk.undo',
  keep_file = 'farthing.hunk.keepFile',
  undo_run = 'farthing.run.undo',
  cost = 'farthing.cost',
}

--- `farthing/spending`. Money is text, written by the server.
---@class farthing.Spending
---@field today string
---@field month string
---@field todayPicodollars number
---@field limitDay? string
---@field limitMonth? string
---@field exhausted boolean A budget is used up: no further run starts.
---@field lastRun? farthing.LastRun

---@class farthing.LastRun
---@field title string
---@field cost string
---@field state string

--- One piece of a run's edit in the buffer, as its diagnostic carries it.
---@class farthing.Hunk
---@field run any What the server calls its run.
---@field hunk any What the server calls it.
---@field client vim.lsp.Client
---@field diagnostic vim.Diagnostic

--- A run or other work in progress.
---@class farthing.Progress
---@field token lsp.ProgressToken
---@field title string
---@field message string
---@field cancellable boolean

---@param params any
---@return farthing.Spending?
function M.parse_spending(params)
  if type(params) ~= 'table' then
    return nil
  end
  local today, month, picodollars = params.today, params.month, params.todayPicodollars
  if type(today) ~= 'string' or type(month) ~= 'string' or type(picodollars) ~= 'number' then
    return nil
  end
  local last = params.lastRun
  local has_last = type(last) == 'table'
    and type(last.title) == 'string'
    and type(last.cost) == 'string'
    and type(last.state) == 'string'
  return {
    today = today,
    month = month,
    todayPicodollars = picodollars,
    limitDay = M.text(params.limitDay),
    limitMonth = M.text(params.limitMonth),
    exhausted = params.exhausted == true,
    lastRun = has_last and { title = last.title, cost = last.cost, state = last.state } or nil,
  }
end

--- A string of the wire, or nil where it says null or something else.
---@param value any
---@return string?
function M.text(value)
  return type(value) == 'string' and value or nil
end

---@param bufnr? integer only those attached to this buffer
---@return vim.lsp.Client[]
function M.clients(bufnr)
  return vim.lsp.get_clients({ name = M.server, bufnr = bufnr })
end

--- The hunks that wait for a word, in order of place.
---@param bufnr? integer nil for every buffer
---@return farthing.Hunk[]
function M.hunks(bufnr)
  local hunks = {} ---@type farthing.Hunk[]
  for _, client in ipairs(M.clients()) do
    local namespace = vim.lsp.diagnostic.get_namespace(client.id)
    for _, diagnostic in ipairs(vim.diagnostic.get(bufnr, { namespace = namespace })) do
      local data = vim.tbl_get(diagnostic, 'user_data', 'lsp', 'data')
      if diagnostic.code == 'hunk' and type(data) == 'table' and data.run ~= nil then
        hunks[#hunks + 1] =
          { run = data.run, hunk = data.hunk, client = client, diagnostic = diagnostic }
      end
    end
  end
  table.sort(hunks, function(a, b)
    local x, y = a.diagnostic, b.diagnostic
    if x.bufnr ~= y.bufnr then
      return x.bufnr < y.bufnr
    elseif x.lnum ~= y.lnum then
      return x.lnum < y.lnum
    end
    return x.col < y.col
  end)
  return hunks
end

--- Asks the server what may be done with a hunk and does the one that runs `command`. Only the
--- server knows what a command takes, so this is the way a menu would go.
---@param hunk farthing.Hunk
---@param command string
function M.act_on(hunk, command)
  local bufnr = hunk.diagnostic.bufnr
  local diagnostics = vim.lsp.diagnostic.from({ hunk.diagnostic })
  ---@type lsp.CodeActionParams
  local params = {
    textDocument = vim.lsp.util.make_text_document_params(bufnr),
    range = diagnostics[1].range,
    context = {
      diagnostics = diagnostics,
      only = { 'quickfix' },
      triggerKind = vim.lsp.protocol.CodeActionTriggerKind.Invoked,
    },
  }
  hunk.client:request('textDocument/codeAction', params, function(err, actions)
    for _, action in ipairs(actions or {}) do
      -- A bare command has its name where an action has a table.
      local offered = type(action.command) == 'table' and action.command or action
      if offered.command == command and M._is_about(offered.arguments, hunk) then
        M.execute(hunk.client, command, offered.arguments, bufnr)
        return
      end
    end
    local reason = err and err.message or 'the hunk has changed since it was shown'
    M.say(('%s is not offered here: %s'):format(command, reason), vim.log.levels.WARN)
  end, bufnr)
end

--- Whether an offer is about this hunk or its run: several may stand in one line.
---@private
---@param arguments any
---@param hunk farthing.Hunk
---@return boolean
function M._is_about(arguments, hunk)
  local argument = type(arguments) == 'table' and arguments[1] or nil
  if type(argument) ~= 'table' then
    return true
  end
  return (argument.hunk == nil or argument.hunk == hunk.hunk)
    and (argument.run == nil or argument.run == hunk.run)
end

---@param client vim.lsp.Client
---@param command string
---@param arguments? any[]
---@param bufnr? integer
---@param on_result? fun(result: any)
function M.execute(client, command, arguments, bufnr, on_result)
  client:exec_cmd(
    { title = command, command = command, arguments = arguments or {} },
    { bufnr = bufnr },
    function(err, result)
      if err then
        M.say(err.message, vim.log.levels.ERROR)
      elseif on_result then
        on_result(result)
      end
    end
  )
end

---@param client vim.lsp.Client
---@param token lsp.ProgressToken
function M.cancel(client, token)
  client:notify('window/workDoneProgress/cancel', { token = token })
end

---@param text string
---@param level? vim.log.levels
function M.say(text, level)
  vim.notify('farthing: ' .. text, level or vim.log.levels.INFO)
end

return M
