"""What the desk does, room by room; nothing in here knows Streamlit."""
