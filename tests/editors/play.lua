-- Plays the steps of a story in some editor and writes down what was seen. What a step does is the
-- editor's affair; what ought to be seen is the affair of who plays the story.

local M = {}

---@class farthing.Step
---@field do string its name
---@field as? string under which name its result is kept
---@field of? string for `expect`: which of them, such as `menu` or `landed.text`
---@field has? string[] texts that must be in it
---@field lacks? string[] texts that must not
---@field is? any what it must be

---@class farthing.Seen
---@field done { do: string, ms: integer, result: any }[]
---@field named table<string, any>
---@field last? any how the editor stood at the end
---@field error? string which step was not taken, and why

---@class farthing.Stage
---@field start fun(story: table): any starts the editor
---@field steps table<string, fun(editor: any, step: table): any>
---@field look fun(editor: any): any how it stands
---@field stop fun(editor: any)

--- `nvim --clean -l …/story.lua STORY.json SEEN.json`. Exit code 0 if every step was taken.
---@param stage farthing.Stage
function M.main(stage)
  local seen = { done = {}, named = vim.empty_dict() } ---@type farthing.Seen
  local ok, why = pcall(function()
    M._play(stage, vim.json.decode(M._read(arg[1]), { luanil = { object = true } }), seen)
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
end

---@private
---@param stage farthing.Stage
---@param story { steps: farthing.Step[] }
---@param seen farthing.Seen filled in as the story goes
function M._play(stage, story, seen)
  local editor = stage.start(story)
  for number, step in ipairs(story.steps) do
    local name = step['do']
    local began = vim.uv.hrtime()
    local take = name == 'expect' and M._expect or stage.steps[name] or M._unknown
    local ok, result = pcall(take, name == 'expect' and seen.named or editor, step)
    if not ok then
      seen.error = ('step %d, %s: %s'):format(number, vim.json.encode(step), result)
      break
    end
    local ms = math.floor((vim.uv.hrtime() - began) / 1e6)
    table.insert(seen.done, { ['do'] = name, ms = ms, result = result })
    if step.as then
      seen.named[step.as] = result
    end
  end
  local ok, last = pcall(stage.look, editor)
  seen.last = ok and last or nil
  stage.stop(editor)
end

--- `{ "do": "expect", "of": "landed.text", "has": ["with_capacity"], "lacks": ["collect"] }`
---@private
---@param named table<string, any>
---@param step farthing.Step
function M._expect(named, step)
  local value = vim.tbl_get(named, unpack(vim.split(step.of or '', '.', { plain = true })))
  if step.is ~= nil and not vim.deep_equal(value, step.is) then
    error(('it is %s'):format(vim.inspect(value)), 0)
  end
  local text = type(value) == 'string' and value or vim.inspect(value)
  if type(value) == 'table' and type(value[1]) == 'string' then
    text = table.concat(value, '\n')
  end
  for _, part in ipairs(step.has or {}) do
    if not text:find(part, 1, true) then
      error(('no "%s" in\n%s'):format(part, text), 0)
    end
  end
  for _, part in ipairs(step.lacks or {}) do
    if text:find(part, 1, true) then
      error(('"%s" is in\n%s'):format(part, text), 0)
    end
  end
end

---@private
function M._unknown()
  error('there is no such step', 0)
end

--- Waits until something holds; it is asked again and again, since there is nothing to listen to.
---@param what string
---@param timeout integer milliseconds
---@param condition fun(): boolean
function M.wait(what, timeout, condition)
  local why ---@type string?
  local held = vim.wait(timeout, function()
    local ok, answer = pcall(condition)
    why = not ok and tostring(answer) or nil
    return not ok or answer
  end, 10)
  if why or not held then
    error(('waited in vain for %s%s'):format(what, why and ': ' .. why or ''), 0)
  end
end

---@private
---@param path string
---@return string
function M._read(path)
  local file = assert(io.open(path, 'r'))
  local text = file:read('*a')
  file:close()
  return text
end

return M
