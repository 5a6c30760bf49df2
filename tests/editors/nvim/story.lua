-- Plays a story in a real Neovim; README.md in the folder above says how one is written.
--
--   nvim --clean -l tests/editors/nvim/story.lua STORY.json SEEN.json

local here = vim.fs.dirname(vim.fs.normalize(vim.uv.fs_realpath(arg[0])))
package.path = ('%s/?.lua;%s/?.lua;%s'):format(here, vim.fs.dirname(here), package.path)
local Editor = require('editor')
local play = require('play')

---@class farthing.Story
---@field workspace string opened as it is, so the caller gives a copy
---@field server string[] the command that starts the server
---@field steps farthing.Step[]
---@field plugin? boolean false: Neovim's own client alone, as an editor without our plugin
---@field settings? table
---@field init_options? table
---@field timeout? integer milliseconds that a wait may take; 20000

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

--- `{ "do": "hover", "at": "fn parse" }`: the text of the float, or nothing.
function steps.hover(editor)
  editor:inside('forget_hover')
  editor:keys('K')
  editor:wait('a hover', function()
    return editor:inside('hover') ~= nil
  end)
  local text = editor:inside('hover')
  editor:inside('forget_hover')
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

--- `{ "do": "wait", "hunks": 2, "ended": 1 }`: waits until all that it names holds at once.
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

-- `at`, with `nth` for which occurrence, puts the cursor on a text before any step.
for name, step in pairs(steps) do
  steps[name] = function(editor, given)
    if given.at then
      editor:inside('cursor', given.at, given.nth or 1)
    end
    return step(editor, given)
  end
end

play.main({
  start = Editor.start,
  steps = steps,
  look = function(editor)
    editor:recover()
    return editor:inside('look')
  end,
  stop = Editor.stop,
})
