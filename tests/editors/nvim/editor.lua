-- A Neovim that is driven from outside, as a user interface would: keys go in, its own main loop
-- runs, and nothing is asked of it that a user could not see.

---@class farthing.Editor
---@field private channel integer
---@field private timeout integer milliseconds
---@field private asked integer how many questions so far
local Editor = {}
Editor.__index = Editor

--- What inside.lua has answered, by the number of the question.
---@type table<integer, { [1]: boolean, [2]: any }>
Answers = {}

local here = vim.fs.dirname(assert(debug.getinfo(1, 'S')).source:sub(2))
local play = require('play')
local root = vim.fs.normalize(here .. '/../../..')

---@param story farthing.Story
---@return farthing.Editor
function Editor.start(story)
  local plugin = story.plugin ~= false
  local program = vim.env.NVIM_PROGRAM or (root .. '/target/editors/bin/nvim')
  local command = { program, '--embed', '--headless', '--clean', '-n' }
  if plugin then
    vim.list_extend(command, { '--cmd', 'set runtimepath^=' .. root .. '/editors/nvim' })
  end
  local channel = vim.fn.jobstart(command, { rpc = true, cwd = story.workspace })
  if channel <= 0 then
    error(program .. ' does not start; tests/editors/install-nvim puts Neovim there', 0)
  end
  local timeout = story.timeout or 20000
  local editor = setmetatable({ channel = channel, timeout = timeout, asked = 0 }, Editor)
  -- Only with a user interface does a message that is too long stop Neovim at "Press ENTER".
  vim.rpcrequest(channel, 'nvim_ui_attach', 100, 40, vim.empty_dict())
  vim.rpcrequest(channel, 'nvim_exec_lua', 'Inside = dofile(...)', { here .. '/inside.lua' })
  local known = vim.rpcrequest(channel, 'nvim_get_api_info') --[[@as table]]
  editor:inside('begin', {
    channel = known[1],
    plugin = plugin,
    server = story.server,
    settings = story.settings,
    init_options = story.init_options,
  })
  return editor
end

--- Gets past what Neovim shows and waits for, so that it answers again.
---@return boolean
function Editor:recover()
  if not self:answers() then
    pcall(vim.rpcrequest, self.channel, 'nvim_input', '<CR>')
    vim.wait(1000, function()
      return self:answers()
    end, 10)
  end
  return self:answers()
end

function Editor:stop()
  pcall(vim.rpcnotify, self.channel, 'nvim_command', 'qall!')
  if vim.fn.jobwait({ self.channel }, 5000)[1] == -1 then
    vim.fn.jobstop(self.channel)
  end
end

--- Calls a function of inside.lua in the driven Neovim. A request would wait for ever if Neovim came
--- to "Press ENTER" before it got round to it; so this sends a notification and is sent one back.
---@param name string
---@param ... any
---@return any
function Editor:inside(name, ...)
  self.asked = self.asked + 1
  local asked = self.asked
  vim.rpcnotify(self.channel, 'nvim_exec_lua', 'Inside.answer(...)', { asked, name, ... })
  local answered = vim.wait(self.timeout, function()
    return Answers[asked] ~= nil or not self:answers()
  end, 5)
  if not Answers[asked] then
    local why = answered and 'shows a message and waits for a key, or is gone' or 'is busy'
    error(('Neovim does not answer %s: it %s'):format(name, why), 0)
  end
  local ok, result = unpack(Answers[asked])
  Answers[asked] = nil
  if not ok then
    error(result, 0)
  end
  return result
end

--- Whether it would answer now. One that shows a question or "Press ENTER" answers nothing else.
---@return boolean
function Editor:answers()
  local ok, mode = pcall(vim.rpcrequest, self.channel, 'nvim_get_mode')
  return ok and not (mode --[[@as table]]).blocking
end

---@param what string
---@param condition fun(): boolean
function Editor:wait(what, condition)
  play.wait(what, self.timeout, condition)
end

--- Types. Each key has been dealt with before the next one comes, so the server sees typing and not
--- one large change.
---@param keys string In the notation of maps: `oyes<Esc>`.
function Editor:keys(keys)
  for key in vim.gsplit(vim.fn.substitute(keys, [[\v(\<[[:alnum:]-]+\>|.)]], '\\1\n', 'g'), '\n') do
    if key ~= '' then
      vim.rpcrequest(self.channel, 'nvim_input', key == '<' and '<lt>' or key)
      -- A key that begins a longer command is dealt with when it waits for the next one.
      vim.rpcrequest(self.channel, 'nvim_get_mode')
    end
  end
  self:wait('the keys ' .. keys .. ' to be dealt with', function()
    return self:answers()
  end)
end

--- Asks for code actions by the key that users press, and gives their titles as shown.
---@return string[]
function Editor:menu()
  self:inside('forget_menu')
  self:keys('gra')
  self:wait('the code actions', function()
    return self:inside('titles') ~= nil
  end)
  return self:inside('titles')
end

--- Picks the first action whose title begins so.
---@param beginning string
---@return { title: string, titles: string[] }
function Editor:pick(beginning)
  local titles = self:menu()
  for index, title in ipairs(titles) do
    if vim.startswith(title, beginning) then
      self:inside('choose', index)
      return { title = title, titles = titles }
    end
  end
  error(('no action begins with "%s"; there are %s'):format(beginning, vim.inspect(titles)), 0)
end

--- Says yes or no to a hunk, and waits until it is gone.
---@param step { nth?: integer, via?: "map" }
---@param title string
---@param map string
---@return { message: string }
function Editor:judge(step, title, map)
  local hunk = self:inside('go_to_hunk', step.nth or 1)
  if step.via == 'map' then
    self:inside('map', map)
  else
    self:pick(title)
  end
  self:wait('the hunk to go', function()
    return not self:inside('has_hunk', hunk.id)
  end)
  return { message = hunk.message }
end

return Editor
