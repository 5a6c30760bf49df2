-- Plays a story in a real Helix, whose screen is Neovim's terminal; README.md in the folder above
-- says how one is written. Helix is set up under $XDG_CONFIG_HOME, which must not be the user's.
--
--   nvim --clean -l tests/editors/helix/story.lua STORY.json SEEN.json

local here = vim.fs.dirname(vim.fs.normalize(vim.uv.fs_realpath(arg[0])))
local root = vim.fs.normalize(here .. '/../../..')
package.path = ('%s/?.lua;%s'):format(vim.fs.dirname(here), package.path)
local play = require('play')

---@class farthing.HelixStory
---@field workspace string opened as it is, so the caller gives a copy
---@field file string the file to open in it
---@field language string what Helix calls its language
---@field server string[] the command that starts the server
---@field steps farthing.Step[]
---@field timeout? integer milliseconds that a wait may take; 20000

---@class farthing.Helix
---@field terminal integer
---@field timeout integer

---@param story farthing.HelixStory
local function configure(story)
  local config = assert(vim.env.XDG_CONFIG_HOME, 'set XDG_CONFIG_HOME to a folder of the test')
  vim.fn.mkdir(config .. '/helix', 'p')
  vim.fn.writefile({
    '[editor.lsp]',
    'display-progress-messages = true',
    '[editor.workspace-trust]',
    'level = "servers"',
  }, config .. '/helix/config.toml')
  vim.fn.writefile({
    '[language-server.farthing]',
    'command = ' .. vim.json.encode(story.server[1]),
    'args = ' .. vim.json.encode(vim.list_slice(story.server, 2)),
    '[[language]]',
    'name = ' .. vim.json.encode(story.language),
    'language-servers = ["farthing"]',
  }, config .. '/helix/languages.toml')
end

---@param story farthing.HelixStory
---@return farthing.Helix
local function start(story)
  configure(story)
  vim.cmd.enew()
  local program = root .. '/target/editors/bin/hx'
  local terminal = vim.fn.jobstart({ program, story.file }, { term = true, cwd = story.workspace })
  if terminal <= 0 then
    error(program .. ' does not start; tests/editors/install-nvim puts Helix there', 0)
  end
  return { terminal = terminal, timeout = story.timeout or 20000 }
end

---@return string
local function screen()
  return (table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n'):gsub('%s*$', ''))
end

---@type table<string, fun(editor: farthing.Helix, step: table): any>
local steps = {}

--- `{ "do": "keys", "keys": " a<CR>" }`
function steps.keys(editor, step)
  vim.fn.chansend(editor.terminal, vim.keycode(step.keys))
end

--- `{ "do": "wait", "shows": ["est. $"], "lacks": ["Loading"] }`: until the screen is so; returns it.
function steps.wait(editor, step)
  play.wait(vim.json.encode(step), editor.timeout, function()
    local now = screen()
    for _, text in ipairs(step.shows or {}) do
      if not now:find(text, 1, true) then
        return false
      end
    end
    for _, text in ipairs(step.lacks or {}) do
      if now:find(text, 1, true) then
        return false
      end
    end
    return true
  end)
  return screen()
end

play.main({
  start = start,
  steps = steps,
  look = screen,
  stop = function(editor)
    vim.fn.chansend(editor.terminal, vim.keycode('<Esc><Esc>:quit-all!<CR>'))
    if vim.fn.jobwait({ editor.terminal }, 5000)[1] == -1 then
      vim.fn.jobstop(editor.terminal)
    end
  end,
})
