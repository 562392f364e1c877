"""A client of websocket.rs: pays well, then wrongly, and stays until it is closed. `python3 websocket.py URL [ORIGIN]`"""

import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

ORDERS = ['{"orderId": "o-1", "currency": "EUR", "amountMinor": 990}', '{"orderId": "o-2", "currency": 978}']


async def main(url, origin=None):
    try:
        async with connect(url, origin=origin) as socket:
            for order in ORDERS:
                await socket.send(order)
                print(await socket.recv(), flush=True)
            await socket.wait_closed()
            print("closed with", socket.close_code)
    except InvalidStatus as refused:
        print("refused with", refused.response.status_code)


asyncio.run(main(*sys.argv[1:]))
