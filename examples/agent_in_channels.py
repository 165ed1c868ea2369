"""The agent in Django Channels: uvicorn agent_in_channels:application

Each WebSocket is a conversation. Django's own loop runs the consumer, so nothing here makes
one, and nothing blocks it.
"""

import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path
from warpbench.agent import Agent, AgentError, Conversation, TextDelta

settings.configure(SECRET_KEY="only for this example", ALLOWED_HOSTS=["*"])
django.setup()

agent = Agent(instructions="Answer in one sentence.")


class Chat(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.conversation = Conversation()
        await self.accept()

    async def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:
        try:
            async with agent.stream_async(text_data, conversation=self.conversation) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        await self.send(text_data=event.text)
        except AgentError as error:
            await self.send(text_data=f"error: {error}")
        await self.send(text_data="")  # the end of the answer


application = ProtocolTypeRouter({"websocket": URLRouter([path("chat", Chat.as_asgi())])})
