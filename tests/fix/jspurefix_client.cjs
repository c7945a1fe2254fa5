// A FIX client made with jspurefix: logs on, sends an order, cancels it when it is accepted, and logs out.
// Standard output has one JSON line for each message that the session let through: its type and the tags that a test looks at.
// Arguments: port, QuickFIX data dictionary, TargetCompID of this client as the acceptor knows it.
'use strict'

const { createRequire } = require('node:module')
const path = require('node:path')

const fromHere = createRequire(path.join(process.cwd(), 'package.json')) // where the test has it installed
fromHere('reflect-metadata')
const { AsciiSession, EmptyLogFactory, MsgType, SessionLauncher } = fromHere('jspurefix')

const [port, dictionary, sender] = process.argv.slice(2)
const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n')

const instrument = { Symbol: 'BTC/USDT' }

class Client extends AsciiSession {
  onReady () {
    tell({ event: 'logged on' })
    this.send(MsgType.NewOrderSingle, {
      ClOrdID: 'js-1', HandlInst: '1', ExDestination: 'BINANCE', Instrument: instrument, Side: '1', TransactTime: new Date(),
      OrderQtyData: { OrderQty: 0.5 }, OrdType: '2', Price: 64000, TimeInForce: '1'
    })
  }

  onApplicationMsg (type, view) {
    const text = (tag) => view.getString(tag)
    tell({ event: 'report', type, id: text(11), execType: text(150), status: text(39), cum: text(14), leaves: text(151), symbol: text(55) })
    if (text(150) === '0') {
      this.send(MsgType.OrderCancelRequest, {
        ClOrdID: 'js-2', OrigClOrdID: 'js-1', Instrument: instrument, Side: '1', TransactTime: new Date(), OrderQtyData: { OrderQty: 0.5 }
      })
    } else if (text(150) === '4') {
      this.done()
    }
  }

  onStopped (error) { tell({ event: 'logged out', error: error ? String(error) : null }) }
  onLogon () { return true }
  onDecoded () {}
  onEncoded () {}
}

class Launcher extends SessionLauncher {
  constructor () {
    super({
      application: { type: 'initiator', name: 'client', tcp: { host: '127.0.0.1', port: Number(port) }, protocol: 'ascii', dictionary },
      EncryptMethod: 0, ResetSeqNumFlag: false, HeartBtInt: 30, SenderCompId: sender, TargetCompID: 'ROUTER', BeginString: 'FIX.4.4'
    }, null, new EmptyLogFactory())
  }

  makeFactory () { return { makeSession: (config) => new Client(config) } }
}

new Launcher().run().then(() => process.exit(0), (error) => { tell({ event: 'failed', error: String(error) }); process.exit(1) })
