-- The plugin's public functions; everything else may change between versions.

---@class farthing
local M = {}

--- What runs, what it has cost so far, and what was spent today, for a status line.
--- The autocommand `User FarthingStatus` fires when it changes.
---@return string
function M.status()
  return require('farthing.ui').status()
end

--- What the server last said of spending, or nil before it has.
---@return farthing.Spending?
function M.spending()
  for _, state in ipairs(require('farthing.ui').states()) do
    if state.spending then
      return state.spending
    end
  end
end

--- Moves to a hunk that waits for a word, and around the end of the buffer.
---@param count integer how many hunks forward; backward if negative
function M.jump(count)
  local protocol = require('farthing.protocol')
  local hunks = protocol.hunks(vim.api.nvim_get_current_buf())
  if #hunks == 0 then
    protocol.say('no hunk waits in this buffer')
    return
  end
  local cursor = vim.api.nvim_win_get_cursor(0)
  local before, at = 0, 0
  for _, hunk in ipairs(hunks) do
    local line, column = hunk.diagnostic.lnum + 1, hunk.diagnostic.col
    if line < cursor[1] or (line == cursor[1] and column < cursor[2]) then
      before = before + 1
    elseif line == cursor[1] and column == cursor[2] then
      at = at + 1
    end
  end
  local first = count > 0 and before + at or before + 1
  local target = hunks[(first + count - 1) % #hunks + 1]
  vim.diagnostic.jump({ diagnostic = target.diagnostic })
  if require('farthing.config').get().hunk_float then
    vim.diagnostic.open_float({ scope = 'cursor', focus = false })
  end
end

--- Keeps the hunk under the cursor.
function M.keep()
  M._at_cursor(require('farthing.protocol').command.keep)
end

--- Undoes the hunk under the cursor.
function M.undo()
  M._at_cursor(require('farthing.protocol').command.undo)
end

--- The hunk that the cursor is on or after; before the first of its line, that one.
---@private
---@param command string
function M._at_cursor(command)
  local protocol = require('farthing.protocol')
  local cursor = vim.api.nvim_win_get_cursor(0)
  local line, column = cursor[1] - 1, cursor[2]
  local found ---@type farthing.Hunk?
  for _, hunk in ipairs(protocol.hunks(vim.api.nvim_get_current_buf())) do
    local diagnostic = hunk.diagnostic
    local last = diagnostic.end_lnum or diagnostic.lnum
    if diagnostic.end_col == 0 and last > diagnostic.lnum then
      last = last - 1
    end
    local begun = diagnostic.lnum < line or diagnostic.col <= column
    if diagnostic.lnum <= line and line <= last and (begun or not found) then
      found = hunk
    end
  end
  if found then
    protocol.act_on(found, command)
  else
    protocol.say('no hunk under the cursor; <Plug>(farthing-next-hunk) goes to one')
  end
end

return M
