local farthing = require('farthing')
local support = require('support')
local ui = require('farthing.ui')

---@param title string
---@param message string
---@return farthing.Progress
local function run(title, message)
  return { token = title, title = title, message = message, cancellable = true }
end

---@param fields? table
---@return farthing.Spending
local function spent(fields)
  local spending = { today = '$1.20', month = '$9.00', todayPicodollars = 12, exhausted = false }
  return vim.tbl_extend('force', spending, fields or {}) --[[@as farthing.Spending]]
end

---@param running farthing.Progress[]
---@param spending farthing.Spending?
---@param want string
---@param config? farthing.StatusConfig
local function check(running, spending, want, config)
  local resolved = vim.tbl_extend('force', { spending = true, title_width = 40 }, config or {})
  ---@cast resolved farthing.ResolvedStatusConfig
  support.equal(ui.render(running, spending, resolved), want)
end

---@param server farthing.test.Server
---@param token string|integer
---@param value table
local function progress(server, token, value)
  server.send('$/progress', { token = token, value = value })
end

return {
  ['rendering'] = function()
    check({}, nil, '')
    check({}, spent(), '$1.20 today')
    check({}, spent({ limitDay = '$5.00' }), '$1.20 of $5.00 today')
    check({}, spent({ exhausted = true }), '$1.20 today · budget used up')
    check({}, spent(), '', { spending = false })
    check({ run('Speed up one', '') }, nil, 'Speed up one')
    check(
      { run('Speed up one', '$0.013 of est. $0.04') },
      spent(),
      'Speed up one · $0.013 of est. $0.04 · $1.20 today'
    )
    check({ run('One', '$0.01'), run('Two', '$0.02') }, nil, '2 running · Two · $0.02')
  end,

  ['a long title is cut, in cells, and the money never'] = function()
    check({ run('Speed up parse', '$0.013') }, nil, 'Speed… · $0.013', { title_width = 6 })
    check({ run('日本語', '$0.013') }, nil, '日… · $0.013', { title_width = 4 })
    check({ run('日本', '$0.013') }, nil, '日本 · $0.013', { title_width = 4 })
  end,

  ['a title of several lines stays one line'] = function()
    check({ run('Speed up\none', '$0.013') }, nil, 'Speed up one · $0.013')
  end,

  ['no server, no status'] = function()
    support.equal(farthing.status(), '')
    support.equal(farthing.spending(), nil)
  end,

  ['a run is followed from its first word to its last'] = function()
    local server = support.server()
    support.open(server)
    progress(server, 1, { kind = 'begin', title = 'Speed up one', message = '$0.000' })
    support.equal(farthing.status(), 'Speed up one · $0.000')
    progress(server, 1, { kind = 'report', message = '$0.013' })
    support.equal(farthing.status(), 'Speed up one · $0.013')
    progress(server, 1, { kind = 'report', message = vim.NIL })
    support.equal(farthing.status(), 'Speed up one · $0.013')
    progress(server, 1, { kind = 'end', message = 'completed: $0.021' })
    support.equal(farthing.status(), '')
    progress(server, 1, { kind = 'end' })
    support.equal(farthing.status(), '')
  end,

  ['spending arrives, is announced, and goes with its server'] = function()
    local server = support.server()
    local _, client = support.open(server)
    local announced = 0
    local id = vim.api.nvim_create_autocmd('User', {
      pattern = 'FarthingStatus',
      callback = function()
        announced = announced + 1
      end,
    })
    local message = spent({
      limitMonth = vim.NIL,
      limitDay = '$5.00',
      lastRun = { title = 'Speed up one', cost = '$0.021', state = 'completed' },
    })
    server.send('farthing/spending', message)
    support.equal(announced, 1)
    support.equal(farthing.status(), '$1.20 of $5.00 today')
    local spending = assert(farthing.spending())
    support.equal(spending.limitMonth, nil)
    support.equal(
      spending.lastRun,
      { title = 'Speed up one', cost = '$0.021', state = 'completed' }
    )
    client:stop(true)
    support.wait(function()
      return farthing.status() == ''
    end, 'an empty status')
    vim.api.nvim_del_autocmd(id)
  end,

  ['a message that is not understood changes nothing'] = function()
    local server = support.server()
    support.open(server)
    for _, params in ipairs({ vim.NIL, {}, { today = 1 }, { today = '$1', month = '$2' } }) do
      server.send('farthing/spending', params)
    end
    progress(server, 1, { kind = 'report', message = '$0.013' })
    progress(server, 1, { kind = 'end' })
    server.send('$/progress', { token = 2, value = vim.NIL })
    support.equal(farthing.status(), '')
  end,

  ["another server's progress is not ours"] = function()
    local other = support.server()
    local bufnr = support.open(support.server())
    vim.lsp.start({ name = 'other', cmd = other.cmd }, { bufnr = bufnr })
    support.await(other, 'initialized')
    progress(other, 1, { kind = 'begin', title = 'Checking' })
    support.equal(farthing.status(), '')
  end,
}
