-- What the tests share: a language server inside this Neovim, and an editor that shows it a file.

local M = {}

--- A server that answers from a table and remembers what it was told.
---@class farthing.test.Server
---@field answers table<string, any> by method: a result, or a function of the parameters
---@field received { method: string, params: any }[] requests and notifications alike
---@field send fun(method: string, params: any) a notification to the editor
---@field cmd fun(dispatchers: table): table what goes into `vim.lsp.config`

---@param answers? table<string, any>
---@return farthing.test.Server
function M.server(answers)
  local dispatchers ---@type table
  ---@type farthing.test.Server
  ---@diagnostic disable-next-line: missing-fields
  local server = { answers = answers or {}, received = {} }
  server.answers.initialize = server.answers.initialize
    or {
      serverInfo = { name = 'farthing' },
      capabilities = {
        positionEncoding = 'utf-8',
        textDocumentSync = { openClose = true, change = 2 },
        codeActionProvider = true,
        codeLensProvider = { resolveProvider = false },
        executeCommandProvider = {
          commands = {
            'farthing.hunk.keep',
            'farthing.hunk.undo',
            'farthing.hunk.keepFile',
            'farthing.run.undo',
            'farthing.cost',
          },
        },
      },
    }
  function server.send(method, params)
    dispatchers.notification(method, params)
  end
  function server.cmd(given)
    dispatchers = given
    local closing, ids = false, 0
    local function exit()
      if not closing then
        closing = true
        vim.schedule(function()
          dispatchers.on_exit(0, 0)
        end)
      end
    end
    return {
      request = function(method, params, callback)
        table.insert(server.received, { method = method, params = params })
        local answer = server.answers[method]
        if type(answer) == 'function' then
          answer = answer(params)
        end
        vim.schedule(function()
          callback(nil, answer)
        end)
        ids = ids + 1
        return true, ids
      end,
      notify = function(method, params)
        table.insert(server.received, { method = method, params = params })
        if method == 'exit' then
          exit()
        end
        return true
      end,
      is_closing = function()
        return closing
      end,
      terminate = exit,
    }
  end
  return server
end

--- Opens a file with the server attached, as the shipped configuration does it.
---@param server farthing.test.Server
---@param config? vim.lsp.Config
---@return integer bufnr
---@return vim.lsp.Client client
function M.open(server, config)
  local dir = vim.fn.tempname()
  vim.fn.mkdir(dir, 'p')
  vim.fn.writefile({ '[package]' }, dir .. '/Cargo.toml')
  vim.fn.writefile({ 'fn one() {}', 'fn two() {}', 'fn three() {}', '' }, dir .. '/lib.rs')
  vim.lsp.config('farthing', vim.tbl_extend('force', { cmd = server.cmd }, config or {}))
  vim.lsp.enable('farthing')
  vim.cmd.edit(dir .. '/lib.rs')
  local bufnr = vim.api.nvim_get_current_buf()
  M.wait(function()
    local client = vim.lsp.get_clients({ bufnr = bufnr })[1]
    return client ~= nil and client.initialized == true
  end, 'the server to attach')
  return bufnr, vim.lsp.get_clients({ bufnr = bufnr })[1]
end

--- Publishes one diagnostic for each `{ line, column, run, hunk }`; a finding where there is no run.
---@param server farthing.test.Server
---@param bufnr integer
---@param places { [1]: integer, [2]: integer, run?: string, hunk?: any, message?: string }[]
function M.publish(server, bufnr, places)
  server.send('textDocument/publishDiagnostics', {
    uri = vim.uri_from_bufnr(bufnr),
    diagnostics = vim.tbl_map(function(place)
      return {
        range = {
          start = { line = place[1], character = place[2] },
          ['end'] = { line = place[1], character = place[2] + 2 },
        },
        severity = 3,
        source = 'farthing',
        code = place.run and 'hunk' or 'fn/too-long',
        message = place.message or 'a message',
        data = place.run and { run = place.run, hunk = place.hunk or 1 } or nil,
      }
    end, places),
  })
  M.wait(function()
    return #vim.diagnostic.get(bufnr) == #places
  end, 'the diagnostics')
end

--- The parameters of the messages of one method that the server has received.
---@param server farthing.test.Server
---@param method string
---@return any[]
function M.received(server, method)
  local params = {}
  for _, message in ipairs(server.received) do
    if message.method == method then
      params[#params + 1] = message.params
    end
  end
  return params
end

--- Waits for a message of this method and returns the parameters of the last one.
---@param server farthing.test.Server
---@param method string
---@return any
function M.await(server, method)
  M.wait(function()
    return #M.received(server, method) > 0
  end, method)
  local all = M.received(server, method)
  return all[#all]
end

---@param condition fun(): boolean
---@param what string
function M.wait(condition, what)
  assert(vim.wait(2000, condition, 5), 'waited in vain for ' .. what)
end

---@param got any
---@param want any
function M.equal(got, want)
  if not vim.deep_equal(got, want) then
    error(('\ngot:  %s\nwant: %s'):format(vim.inspect(got), vim.inspect(want)), 2)
  end
end

--- What the user was told since this call.
---@return string[]
function M.listen()
  local said = {} ---@type string[]
  vim.notify = function(message)
    said[#said + 1] = message
  end
  return said
end

--- Answers every question of `vim.ui.select` with the item of this number.
---@param number integer
---@return { items: string[] } asked
function M.choose(number)
  local asked = { items = {} }
  vim.ui.select = function(items, options, on_choice)
    asked.items = vim.tbl_map(options.format_item or tostring, items)
    on_choice(items[number], number)
  end
  return asked
end

return M
