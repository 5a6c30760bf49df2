-- Plays a story in a real Neovim and writes down what was seen; README.md beside this folder says
-- how a story is written. It expects nothing of the server: who plays the story compares.
--
--   nvim --clean -l story.lua STORY.json SEEN.json
--
-- Exit code 0: every step was taken. 1: one was not, and SEEN.json says which and how it stood.

local here = vim.fs.dirname(vim.fs.normalize(vim.uv.fs_realpath(arg[0])))
package.path = here .. '/?.lua;' .. package.path
local Editor = require('editor')

---@class farthing.Story
---@field workspace string opened as it is, so the caller gives a copy
---@field server string[] the command that starts the server
---@field steps farthing.Step[]
---@field plugin? boolean false: Neovim's own client alone, as an editor without our plugin
---@field settings? table
---@field init_options? table
---@field timeout? integer milliseconds that a wait may take; 20000

---@class farthing.Step
---@field do string its name in `steps`
---@field as? string under which name its result is kept
---@field at? string text to put the cursor on first
---@field nth? integer which occurrence of it, or which hunk; 1

---@class farthing.Seen
---@field neovim string
---@field done { do: string, ms: integer, result: any }[]
---@field named table<string, any>
---@field last? farthing.Look how the buffer stood at the end
---@field error? string

---@type table<string, fun(editor: farthing.Editor, step: table): any>
local steps = {}

--- `{ "do": "open", "file": "src/lib.rs" }`: edits a file and waits for the server.
function steps.open(editor, step)
  editor:inside('open', step.file)
  editor:wait('the server to attach', function()
    return editor:inside('attached')
  end)
  return editor:inside('client')
end

--- `{ "do": "cursor", "at": "fn parse" }`
function steps.cursor() end

--- `{ "do": "menu", "at": "fn parse" }`: the titles that the user would be shown.
function steps.menu(editor)
  return editor:menu()
end

--- `{ "do": "pick", "at": "fn parse", "title": "Speed up" }`: picks the action with this beginning.
function steps.pick(editor, step)
  return editor:pick(step.title)
end

--- `{ "do": "hover", "at": "fn parse" }`: the text of the float.
function steps.hover(editor)
  editor:keys('K')
  editor:wait('a hover', function()
    return editor:inside('float') ~= vim.NIL
  end)
  local text = editor:inside('float')
  editor:inside('close_floats')
  return text
end

--- `{ "do": "keys", "at": "// notes", "keys": "oyes<Esc>" }`: types, one key after the other.
function steps.keys(editor, step)
  editor:keys(step.keys)
end

--- `{ "do": "command", "line": "Farthing undo-run" }`
function steps.command(editor, step)
  editor:inside('command', step.line)
end

--- `{ "do": "cancel" }`: stops what runs, as an editor without the plugin would.
function steps.cancel(editor)
  editor:inside('cancel')
end

--- `{ "do": "keep", "nth": 2 }`: keeps a hunk by its quick fix; with `"via": "map"` by the plugin.
function steps.keep(editor, step)
  return editor:judge(step, 'Keep this hunk', 'keep')
end

--- `{ "do": "undo", "nth": 1 }`
function steps.undo(editor, step)
  return editor:judge(step, 'Undo this hunk', 'undo')
end

--- Waits until all that the step names holds at once: `hunks` and `findings` (how many), `idle` and
--- `running`, `text` and `lacks` (in the buffer), `notice` (said to the user), `spending` (known),
--- `lenses` (how many).
function steps.wait(editor, step)
  local want = vim.deepcopy(step)
  want['do'], want.as, want.at, want.nth = nil, nil, nil, nil
  editor:wait(vim.json.encode(want), function()
    return editor:inside('holds', want)
  end)
end

--- `{ "do": "look", "as": "after" }`: how the buffer stands.
function steps.look(editor)
  return editor:inside('look')
end

--- `{ "do": "screen" }`: the lines of the screen.
function steps.screen(editor)
  return editor:inside('screen')
end

---@param story farthing.Story
---@param seen farthing.Seen filled in as the story goes
local function play(story, seen)
  local editor = Editor.start(story)
  local at = 'the start'
  local ok, why = pcall(function()
    seen.neovim = editor:inside('version')
    for number, step in ipairs(story.steps) do
      local name = step['do']
      at = ('step %d (%s)'):format(number, vim.json.encode(step))
      local take = steps[name] or error('there is no such step', 0)
      local began = vim.uv.hrtime()
      if step.at then
        editor:inside('cursor', step.at, step.nth or 1)
      end
      local result = take(editor, step)
      local ms = math.floor((vim.uv.hrtime() - began) / 1e6)
      table.insert(seen.done, { ['do'] = name, ms = ms, result = result })
      if step.as then
        seen.named[step.as] = result
      end
    end
  end)
  if not ok then
    seen.error = ('%s: %s'):format(at, why)
  end
  if editor:recover() then
    seen.last = editor:inside('look')
  end
  editor:stop()
end

---@param path string
---@return string
local function read(path)
  local file = assert(io.open(path, 'r'))
  local text = file:read('*a')
  file:close()
  return text
end

local seen = { neovim = '', done = {}, named = vim.empty_dict() } ---@type farthing.Seen
local ok, why = pcall(function()
  play(vim.json.decode(read(arg[1]), { luanil = { object = true } }), seen)
end)
if not ok then
  seen.error = tostring(why)
end
local output = assert(io.open(arg[2], 'w'))
output:write(vim.json.encode(seen))
output:close()
if seen.error then
  io.stderr:write(seen.error .. '\n')
end
os.exit(seen.error and 1 or 0)
