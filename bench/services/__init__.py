"""Services as targets, in-process: an application is driven through its own interface.

``kinds`` knows the interfaces. Each has a module that turns an application into a session:
``asgi``, with ``lifespan`` for what comes before and after the sessions, and ``wsgi``. ``request``
makes what is asked, and ``answers`` reads what comes back: neither does input or output.
"""
