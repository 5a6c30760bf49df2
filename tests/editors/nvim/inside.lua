-- What the story asks of the driven Neovim, from within it.

local M = {}

--- How a buffer stands.
---@class farthing.Look
---@field text string
---@field neovim string
---@field diagnostics lsp.Diagnostic[]
---@field lenses string[]
---@field progress table[] every progress message of the server, in order
---@field notices string[] what the user was told
---@field messages string what Neovim printed, as `:messages` has it
---@field questions { prompt: string, choices: string[] }[] what the user was asked; nothing is answered
---@field status string the plugin's text for the status line
---@field spending any
---@field undo integer the number of changes that `u` could take back

local progress = {} ---@type table[]
local working = {} ---@type table<string, "run"|"other"> by token
local runs_ended = 0
local indexed = false
local notices = {} ---@type string[]
local questions = {} ---@type { prompt: string, choices: string[] }[]
local menu ---@type { titles: string[], choose: fun(index: integer?) }?
local no_hover = false
local plugin = false
local driver = 0 ---@type integer
---@type vim.lsp.Config
---@diagnostic disable-next-line: missing-fields
local config = {}

local modern = vim.fn.has('nvim-0.11') == 1

--- Calls one of these functions and sends the outcome to whoever drives this Neovim.
---@param number integer
---@param name string
---@param ... any
function M.answer(number, name, ...)
  ---@type boolean, any
  local ok, result = pcall(M[name] --[[@as function]], ...)
  if name == 'begin' then
    driver = select(1, ...).channel
  end
  if not ok then
    result = tostring(result)
  end
  local code = 'Answers[select(1, ...)] = { select(2, ...) }'
  vim.rpcnotify(driver, 'nvim_exec_lua', code, { number, ok, result })
end

---@param options { plugin: boolean, channel: integer, server: string[], settings?: table, init_options?: table }
function M.begin(options)
  plugin = options.plugin
  M._listen()
  config = {
    name = 'farthing',
    cmd = options.server,
    settings = options.settings,
    init_options = options.init_options,
  }
  if not modern then
    vim.keymap.set('n', 'gra', vim.lsp.buf.code_action)
    return
  end
  if not plugin then
    config.filetypes = { 'rust', 'python', 'go', 'typescript', 'javascript' }
    config.root_markers = { 'farthing.toml', '.git' }
    vim.api.nvim_create_autocmd('LspAttach', {
      callback = function(event)
        vim.lsp.codelens.enable(true, { bufnr = event.buf })
      end,
    })
  end
  vim.lsp.config('farthing', config)
  vim.lsp.enable('farthing')
end

---@private
function M._listen()
  vim.api.nvim_create_autocmd('LspProgress', {
    callback = function(event)
      local params = event.data.params
      local value = vim.deepcopy(params.value)
      value.token = params.token
      progress[#progress + 1] = value
      M._follow(tostring(params.token), value)
    end,
  })
  local notify = vim.notify
  vim.notify = function(message, ...)
    notices[#notices + 1] = message
    no_hover = no_hover or message:match('^No information available') ~= nil
    if message:match('^No code actions') then
      menu = { titles = {}, choose = function() end }
    end
    return notify(message, ...)
  end
  if not modern then
    local show = vim.lsp.handlers['window/showMessage']
    vim.lsp.handlers['window/showMessage'] = function(err, params, ...)
      notices[#notices + 1] = params.message
      return show(err, params, ...)
    end
  end
  vim.ui.select = function(items, options, on_choice)
    local titles = vim.tbl_map(options.format_item or tostring, items)
    if options.kind == 'codeaction' then
      menu = {
        titles = titles,
        choose = function(index)
          on_choice(
            items[
              index --[[@as integer]]
            ],
            index
          )
        end,
      }
    else
      table.insert(questions, { prompt = options.prompt, choices = titles })
      -- Unless a story has said what the user answers, they look away.
      local index = vim.fn.index(titles, vim.g.farthing_answer or '') + 1
      on_choice(items[index], index > 0 and index or nil)
    end
  end
end

---@private
---@param token string
---@param value table
function M._follow(token, value)
  if value.kind == 'begin' then
    working[token] = value.cancellable and 'run' or 'other'
  elseif value.kind == 'end' then
    runs_ended = runs_ended + (working[token] == 'run' and 1 or 0)
    working[token] = nil
    indexed = indexed or token == 'farthing/indexing'
  end
end

---@private
---@return string
function M._version()
  local version = vim.version --[[@as fun(): vim.Version ]]
  return tostring(version())
end

---@param file string
function M.open(file)
  vim.cmd.edit(file)
  if not modern then
    config.root_dir = vim.uv.cwd()
    vim.lsp.start(config --[[@as vim.lsp.ClientConfig]])
  end
end

---@return boolean
function M.attached()
  local client = M._client()
  return client ~= nil and client.initialized == true
end

---@return { encoding: string, root: string?, commands: string[] }
function M.client()
  local client = assert(M._client()) ---@type vim.lsp.Client
  local provider = vim.tbl_get(client, 'server_capabilities', 'executeCommandProvider')
  return {
    encoding = client.offset_encoding,
    root = client.root_dir,
    commands = provider and provider.commands or {},
  }
end

---@private
---@return vim.lsp.Client?
function M._client()
  return vim.lsp.get_clients({ name = 'farthing', bufnr = 0 })[1]
end

--- Puts the cursor on the first character of a text that stands within one line.
---@param text string
---@param nth integer
function M.cursor(text, nth)
  local left = nth
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local from = line:find(text, 1, true)
    while from do
      left = left - 1
      if left == 0 then
        vim.api.nvim_win_set_cursor(0, { number, from - 1 })
        return
      end
      from = line:find(text, from + 1, true)
    end
  end
  error(('"%s" does not stand %d times in the buffer'):format(text, nth), 0)
end

function M.forget_menu()
  menu = nil
end

---@return string[]?
function M.titles()
  return menu and menu.titles
end

---@param index integer
function M.choose(index)
  assert(menu).choose(index)
end

function M.forget_hover()
  for _, window in ipairs(M._floats()) do
    vim.api.nvim_win_close(window, true)
  end
  no_hover = false
end

--- What the float says; empty once Neovim has said that there is none.
---@return string?
function M.hover()
  if no_hover then
    return ''
  end
  for _, window in ipairs(M._floats()) do
    local buffer = vim.api.nvim_win_get_buf(window)
    return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n')
  end
end

---@private
---@return integer[]
function M._floats()
  return vim.tbl_filter(function(window)
    return vim.fn.win_gettype(window) == 'popup'
  end, vim.api.nvim_list_wins())
end

---@param line string
function M.command(line)
  vim.cmd(line)
end

---@param name string
function M.map(name)
  vim.cmd.normal({ vim.keycode(('<Plug>(farthing-%s)'):format(name)) })
end

function M.cancel()
  local client = assert(M._client())
  for _, message in ipairs(progress) do
    if message.kind == 'begin' and working[tostring(message.token)] == 'run' then
      client.rpc.notify('window/workDoneProgress/cancel', { token = message.token })
    end
  end
end

--- The hunks of this buffer, in order of place.
---@private
---@return vim.Diagnostic[]
function M._hunks()
  local hunks = vim.tbl_filter(function(diagnostic)
    return diagnostic.source == 'farthing' and diagnostic.code == 'hunk'
  end, vim.diagnostic.get(0))
  table.sort(hunks, function(a, b)
    return a.lnum < b.lnum or (a.lnum == b.lnum and a.col < b.col)
  end)
  return hunks
end

---@param nth integer
---@return { id: string, message: string }
function M.go_to_hunk(nth)
  local hunk = M._hunks()[nth]
  if not hunk then
    error(('there is no hunk %d'):format(nth), 0)
  end
  vim.api.nvim_win_set_cursor(0, { hunk.lnum + 1, hunk.col })
  return { id = M._id(hunk), message = hunk.message }
end

---@param id string
---@return boolean
function M.has_hunk(id)
  for _, hunk in ipairs(M._hunks()) do
    if M._id(hunk) == id then
      return true
    end
  end
  return false
end

---@private
---@param hunk vim.Diagnostic
---@return string
function M._id(hunk)
  local data = hunk.user_data.lsp.data
  return ('%s/%s'):format(data.run, data.hunk)
end

---@param want table<string, any>
---@return boolean
function M.holds(want)
  local look = M.look()
  local findings = vim.tbl_filter(function(diagnostic)
    return diagnostic.source == 'farthing' and diagnostic.code ~= 'hunk'
  end, look.diagnostics)
  local said = table.concat(look.notices, '\n')
  local state = {
    hunks = #M._hunks(),
    findings = #findings,
    idle = next(working) == nil,
    running = vim.tbl_contains(vim.tbl_values(working), 'run'),
    ended = runs_ended,
    indexed = indexed,
    spending = look.spending ~= nil,
    lenses = #look.lenses,
    last_run = vim.tbl_get(look.spending or {}, 'lastRun', 'state') or '',
  }
  for key, value in pairs(want) do
    local holds ---@type boolean
    if key == 'text' then
      holds = look.text:find(value, 1, true) ~= nil
    elseif key == 'lacks' then
      holds = look.text:find(value, 1, true) == nil
    elseif key == 'notice' then
      holds = said:find(value, 1, true) ~= nil
    elseif key == 'float' then
      holds = (M.hover() or ''):find(value, 1, true) ~= nil
    elseif state[key] == nil then
      error('nothing is known of ' .. key, 0)
    else
      holds = state[key] == value
    end
    if not holds then
      return false
    end
  end
  return true
end

---@return farthing.Look
function M.look()
  return {
    neovim = M._version(),
    text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n') .. '\n',
    diagnostics = vim.tbl_map(function(diagnostic)
      return diagnostic.user_data.lsp
    end, vim.diagnostic.get(0)),
    lenses = M._lenses(),
    progress = progress,
    notices = notices,
    messages = vim.fn.execute('messages'),
    questions = questions,
    status = plugin and require('farthing').status() or '',
    spending = plugin and require('farthing').spending() or nil,
    undo = vim.fn.undotree().seq_cur,
  }
end

---@private
---@return string[]
function M._lenses()
  if not vim.lsp.codelens.enable then
    return {}
  end
  local lenses = vim.lsp.codelens.get({ bufnr = 0 })
  table.sort(lenses, function(a, b)
    local x, y = a.lens.range.start, b.lens.range.start
    return x.line < y.line or (x.line == y.line and x.character < y.character)
  end)
  return vim.tbl_map(function(result)
    return result.lens.command and result.lens.command.title or ''
  end, lenses)
end

---@return string[]
function M.screen()
  vim.cmd.redraw()
  local lines = {} ---@type string[]
  for row = 1, vim.o.lines do
    local cells = {} ---@type string[]
    for column = 1, vim.o.columns do
      cells[column] = vim.fn.screenstring(row, column)
    end
    lines[row] = (table.concat(cells):gsub('%s+$', ''))
  end
  return lines
end

return M
