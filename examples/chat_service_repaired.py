"""The chat service of `chat_service.py`, repaired: each request has a conversation of its own.

warpbench explore chat --target chat_service_repaired:build
"""

from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from openai import AsyncOpenAI
from pydantic import BaseModel


class ChatRequest(BaseModel):
    text: str


class ChatAnswer(BaseModel):
    text: str


class Conversation:
    def __init__(self, client: AsyncOpenAI, request: ChatRequest) -> None:
        self.client = client
        self.request = request

    async def reply(self) -> str:
        notes = await self.client.responses.create(
            model="gpt-4o-mini", input=f"What is this about? {self.request.text}"
        )
        answer = await self.client.responses.create(
            model="gpt-4o-mini", input=f"{self.request.text} Notes: {notes.output_text}"
        )
        return answer.output_text


app = FastAPI()
client = AsyncOpenAI()


@app.post("/chat")
async def chat(request: ChatRequest) -> ChatAnswer:
    return ChatAnswer(text=await Conversation(client, request).reply())


def build() -> Any:
    async def session(task: str) -> str:
        async with AsyncClient(transport=ASGITransport(app), base_url="http://app") as http:
            response = await http.post("/chat", json={"text": task})
        return str(response.raise_for_status().json()["text"])

    return session
